// One known answer: an operation that is measured, and a check of what it gave, that is not.
//
// Freestanding: no heap, no exceptions, nothing of an operating system.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/base/bytes.hpp"

namespace quoin::tests {

struct Operation {
    std::string_view name;
    // Does it; false if it failed. `round` counts from 0: what varies (messages) is taken from it.
    bool (*run)(unsigned round);
    // After each round; nullptr: run() tells alone.
    bool (*check)(unsigned round) = nullptr;
    unsigned rounds = 1;
};

// What an image runs, in this order: an operation may use what the one before it left in its file.
using Operations = std::span<const Operation>;

// What an image consists of: images/*.cpp.
using Group = Operations (*)();
std::span<const Group> image();

Operations sha2_operations();
Operations keccak_operations();
Operations hmac_operations();
Operations aes_operations();
Operations machine_operations();

// Never inlined, so that nobody can know the answer while compiling.
[[gnu::noinline]] bool same(Bytes a, Bytes b);

// Not constant: a vector of the wrong length ends the compilation here.
void this_hex_has_another_length();

// The bytes of a vector, while compiling: hex<4>("c0ffee00").
template <std::size_t Size>
consteval std::array<std::uint8_t, Size> hex(std::string_view text) {
    if (text.size() != 2 * Size) this_hex_has_another_length();
    const auto nibble = [](char digit) {
        return digit <= '9' ? digit - '0' : digit - 'a' + 10;  // lower case only
    };
    std::array<std::uint8_t, Size> bytes{};
    for (std::size_t i = 0; i < Size; ++i) {
        bytes[i] = static_cast<std::uint8_t>(16 * nibble(text[2 * i]) + nibble(text[2 * i + 1]));
    }
    return bytes;
}

}  // namespace quoin::tests
