// Comparison and wiping that do not depend on what the bytes are.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "core/base/bytes.hpp"

namespace quoin::core::ct {

// True if both views have the same length and bytes. The time depends on the lengths only.
inline bool equal(Bytes a, Bytes b) {
    if (a.size() != b.size()) return false;
    std::uint32_t difference = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        difference |= static_cast<std::uint32_t>(a[i] ^ b[i]);
        asm volatile("" : "+r"(difference));  // keeps the loop from being cut short
    }
    return difference == 0;
}

// Overwrites with zeros. The barrier keeps the compiler from deleting a store that nobody reads.
inline void wipe(MutableBytes bytes) {
    for (std::uint8_t& byte : bytes) byte = 0;
    asm volatile("" : : "r"(bytes.data()) : "memory");
}

// The same for a value of a plain type: a state, an array of coefficients, a workspace.
template <class T>
    requires std::is_trivially_copyable_v<T>
void wipe_object(T& object) {
    wipe({reinterpret_cast<std::uint8_t*>(&object), sizeof object});
}

// Overwrites the `Size` bytes of stack below the caller's frame: what functions that it called have
// left there in registers that were spilled. No more than those used, or it is this that needs
// most.
template <std::size_t Size>
[[gnu::noinline]] inline void wipe_stack() {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): wipe() fills it
    std::array<std::uint8_t, Size> below;
    wipe(below);
}

// The value, of which the compiler no longer knows where it came from: it cannot turn a mask made
// of it back into a branch.
template <class T>
    requires std::is_integral_v<T>
T barrier(T value) {
    asm volatile("" : "+r"(value));
    return value;
}

}  // namespace quoin::core::ct
