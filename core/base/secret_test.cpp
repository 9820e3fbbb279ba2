// Compiled with -O2 (CMakeLists.txt): that is where a compiler deletes stores that nobody reads.
#include "core/base/secret.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <type_traits>

namespace quoin::core {
namespace {

struct KeyTag;
struct NonceTag;
using Key = Secret<KeyTag, 32>;

constexpr std::uint8_t pattern = 0xA7;

std::array<std::uint8_t, 32> patterned() {
    std::array<std::uint8_t, 32> bytes;
    bytes.fill(pattern);
    return bytes;
}

// What a compiler makes of a wipe without a barrier. The harness below must see the difference.
class WithoutBarrier {
public:
    explicit WithoutBarrier(std::span<std::uint8_t, 32> source) {
        std::ranges::copy(source, bytes_.begin());
    }
    ~WithoutBarrier() { bytes_.fill(0); }

private:
    std::array<std::uint8_t, 32> bytes_;
};

// Makes a T full of the pattern, destroys it, and counts the bytes of the pattern still in its
// memory.
template <class T>
std::size_t left_after_destruction() {
    alignas(T) static std::array<std::byte, sizeof(T)> memory;
    {
        std::array<std::uint8_t, 32> source = patterned();
        T* object = new (memory.data()) T(source);
        asm volatile("" : : "r"(object) : "memory");  // it was really there
        object->~T();
    }
    const volatile std::byte* bytes = memory.data();
    std::size_t left = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) left += bytes[i] == std::byte{pattern} ? 1U : 0U;
    return left;
}

TEST(Secret, destroy__optimised_build__leaves_zeros) {
    EXPECT_EQ(left_after_destruction<Key>(), 0U);
}

TEST(Secret, canary__wipe_without_barrier__is_seen_to_leave_the_secret) {
    EXPECT_GT(left_after_destruction<WithoutBarrier>(), 0U);
}

TEST(Secret, construct__from_bytes__wipes_the_source) {
    std::array<std::uint8_t, 32> source = patterned();
    const Key key(source);
    EXPECT_EQ(source, (std::array<std::uint8_t, 32>{}));
    EXPECT_TRUE(std::ranges::equal(key.expose(), patterned()));
}

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
