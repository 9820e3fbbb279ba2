// That the search of test_stack.hpp can find something.
#include "core/crypto/test_stack.hpp"

#include <gtest/gtest.h>

#include "core/base/secret.hpp"

namespace quoin::core::test {
namespace {

struct SecretTag;
using Value = std::array<std::uint8_t, 32>;

Value value_of(std::uint8_t first) {
    Value value{};
    for (std::uint8_t& byte : value) byte = first++;
    return value;
}

// What a compiler makes of a wipe without a barrier: nothing.
[[gnu::noinline]] void without_wipe(const Value& value) {
    Value copy = value;
    asm volatile("" : : "r"(copy.data()) : "memory");
    copy.fill(0);
}

[[gnu::noinline]] void with_wipe(const Value& value) {
    Value copy = value;
    asm volatile("" : : "r"(copy.data()) : "memory");
    ct::wipe(copy);
}

TEST(dead_stack, canary__copy_without_wipe__is_found) {
    const Value value = value_of(1);
    DeadStack stack;
    stack.run([&] { without_wipe(value); });
    EXPECT_GE(stack.places_of(value), 17U);
    EXPECT_GE(stack.places_of<32>(value), 1U);
    EXPECT_EQ(stack.places_of(value_of(101)), 0U);
}

TEST(dead_stack, copy_with_wipe__is_not_found) {
    const Value value = value_of(1);
    DeadStack stack;
    stack.run([&] { with_wipe(value); });
    EXPECT_EQ(stack.places_of(value), 0U);
}

}  // namespace
}  // namespace quoin::core::test
