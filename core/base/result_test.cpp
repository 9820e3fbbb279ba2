#include "core/base/result.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <type_traits>

namespace quoin::core {
namespace {

Result<int> half(int number) {
    if (number % 2 != 0) return std::unexpected(Code::input_invalid);
    return number / 2;
}

Result<int> quarter(int number) {
    QUOIN_TRY(const int once, half(number));
    QUOIN_TRY(const int twice, half(once));
    return twice;
}

Result<void> check_even(int number, int& reached) {
    QUOIN_CHECK(half(number));
    ++reached;
    return {};
}

TEST(Result, value__good_input__is_there) {
    const Result<int> result = half(10);
    ASSERT_TRUE(result);
    EXPECT_EQ(*result, 5);
}

TEST(Result, error__bad_input__keeps_its_code) {
    const Result<int> result = half(3);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error(), Code::input_invalid);
}

TEST(Result, try__good_steps__gives_the_last_value) {
    ASSERT_TRUE(quarter(12));
    EXPECT_EQ(*quarter(12), 3);
}

TEST(Result, try__any_step_fails__returns_its_error) {
    EXPECT_EQ(quarter(3).error(), Code::input_invalid);
    EXPECT_EQ(quarter(6).error(), Code::input_invalid);
}

TEST(Result, check__error__ends_the_function_there) {
    int reached = 0;
    EXPECT_FALSE(check_even(3, reached));
    EXPECT_EQ(reached, 0);
    EXPECT_TRUE(check_even(4, reached));
    EXPECT_EQ(reached, 1);
}

TEST(Result, try__move_only_value__is_moved_out) {
    const auto make = []() -> Result<std::unique_ptr<int>> { return std::make_unique<int>(7); };
    const auto use = [&]() -> Result<int> {
        QUOIN_TRY(const std::unique_ptr<int> owner, make());
        return *owner;
    };
    EXPECT_EQ(*use(), 7);
}

TEST(Result, size__of_a_code__is_two_bytes) { EXPECT_EQ(sizeof(Code), 2U); }

TEST(Result, conversion__to_bool__only_where_it_is_asked) {
    EXPECT_FALSE((std::is_convertible_v<Result<int>, bool>));
}

}  // namespace
}  // namespace quoin::core
