// Compiled with -O2 and without sanitizers (CMakeLists.txt): that is where a compiler deletes
// stores that nobody reads.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <new>

#include "core/base/secret.hpp"

namespace quoin::core {
namespace {

struct KeyTag;
using Key = Secret<KeyTag, 32>;

constexpr std::uint8_t pattern = 0xA7;

// The harness below must see what is left.
class WithoutWipe {
public:
    explicit WithoutWipe(std::span<std::uint8_t, 32> source) {
        std::ranges::copy(source, bytes_.begin());
    }

private:
    std::array<std::uint8_t, 32> bytes_{};
};

// What g++ makes of a wipe without a barrier. Clang keeps stores to memory that outlives the
// object.
#if defined(__clang__)
constexpr bool wipe_is_deleted = false;
#else
constexpr bool wipe_is_deleted = true;
#endif
class WithoutBarrier {
public:
    explicit WithoutBarrier(std::span<std::uint8_t, 32> source) {
        std::ranges::copy(source, bytes_.begin());
    }
    WithoutBarrier(const WithoutBarrier&) = delete;
    WithoutBarrier& operator=(const WithoutBarrier&) = delete;
    ~WithoutBarrier() { bytes_.fill(0); }

private:
    std::array<std::uint8_t, 32> bytes_{};
};

// Makes a T full of the pattern, destroys it, and counts the bytes of the pattern still in its
// memory.
template <class T>
std::size_t left_after_destruction() {
    alignas(T) static std::array<std::byte, sizeof(T)> memory;
    {
        std::array<std::uint8_t, 32> source{};
        source.fill(pattern);
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

TEST(Secret, canary__no_wipe__is_seen_to_leave_the_secret) {
    EXPECT_EQ(left_after_destruction<WithoutWipe>(), 32U);
}

TEST(Secret, canary__wipe_without_barrier__is_seen_to_leave_the_secret) {
    if (!wipe_is_deleted) GTEST_SKIP() << "NOT RUN: this compiler does not delete such a wipe";
    EXPECT_GT(left_after_destruction<WithoutBarrier>(), 0U);
}

}  // namespace
}  // namespace quoin::core
