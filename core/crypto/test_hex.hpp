// For tests: bytes from and to hexadecimal digits, and bytes from a seeded generator.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.hpp"

namespace quoin::core::test {

using ByteVector = std::vector<std::uint8_t>;

inline std::string hex(Bytes bytes) {
    std::string text;
    for (const std::uint8_t byte : bytes) {
        text += "0123456789abcdef"[byte >> 4U];
        text += "0123456789abcdef"[byte & 15U];
    }
    return text;
}

// Small digits or capitals.
inline ByteVector unhex(std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef0123456789ABCDEF";
    ByteVector bytes;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
        const std::size_t high = digits.find(text[i]) % 16;
        bytes.push_back(static_cast<std::uint8_t>(16 * high + digits.find(text[i + 1]) % 16));
    }
    return bytes;
}

inline ByteVector random_bytes(std::mt19937_64& generator, std::size_t size) {
    ByteVector bytes(size);
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(generator());
    return bytes;
}

}  // namespace quoin::core::test
