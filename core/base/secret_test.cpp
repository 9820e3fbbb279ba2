#include "core/base/secret.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <type_traits>

namespace quoin::core {
namespace {

struct KeyTag;
struct NonceTag;
using Key = Secret<KeyTag, 32>;

constexpr std::uint8_t pattern = 0xA7;

std::array<std::uint8_t, 32> patterned() {
    std::array<std::uint8_t, 32> bytes{};
    bytes.fill(pattern);
    return bytes;
}

TEST(Secret, construct__from_bytes__wipes_the_source) {
    std::array<std::uint8_t, 32> source = patterned();
    const Key key(source);
    EXPECT_EQ(source, (std::array<std::uint8_t, 32>{}));
    EXPECT_TRUE(std::ranges::equal(key.expose(), patterned()));
}

// NOLINTBEGIN(bugprone-use-after-move, clang-analyzer-cplusplus.Move): what a move leaves is the
// subject
TEST(Secret, move__constructed_or_assigned__wipes_the_source) {
    std::array<std::uint8_t, 32> source = patterned();
    Key first(source);
    Key second(std::move(first));
    EXPECT_TRUE(std::ranges::equal(first.expose(), (std::array<std::uint8_t, 32>{})));
    EXPECT_TRUE(std::ranges::equal(second.expose(), patterned()));
    Key third;
    third = std::move(second);
    EXPECT_TRUE(std::ranges::equal(second.expose(), (std::array<std::uint8_t, 32>{})));
    EXPECT_TRUE(std::ranges::equal(third.expose(), patterned()));
}
// NOLINTEND(bugprone-use-after-move, clang-analyzer-cplusplus.Move)

TEST(Secret, move__onto_itself__keeps_the_secret) {
    std::array<std::uint8_t, 32> source = patterned();
    Key key(source);
    Key& same = key;
    key = std::move(same);
    EXPECT_TRUE(std::ranges::equal(key.expose(), patterned()));
}

template <class T>
concept comparable = requires(const T& a, const T& b) { a == b; };

TEST(Secret, type__misuse__does_not_compile) {
    static_assert(!std::is_copy_constructible_v<Key> && !std::is_copy_assignable_v<Key>);
    static_assert(!std::is_convertible_v<Secret<NonceTag, 32>, Key>);
    static_assert(!std::is_constructible_v<Key, Secret<NonceTag, 32>&&>);
    static_assert(!comparable<Key>);
    SUCCEED();
}

}  // namespace
}  // namespace quoin::core
