// What both halves of falcon_ed25519.hpp sign.
#pragma once

#include <array>
#include <string_view>

#include "core/base/bytes.hpp"
#include "core/crypto/sha2/sha2.hpp"

namespace quoin::core::hybrid {

inline std::array<std::uint8_t, 31 + 64> falcon_ed25519_message(Bytes message) {
    constexpr std::string_view label = "Quoin Falcon-512 AND Ed25519, 1";
    static_assert(label.size() == 31);
    std::array<std::uint8_t, 31 + 64> signed_part{};
    std::size_t at = 0;
    for (const std::uint8_t byte : bytes_of(label)) signed_part[at++] = byte;
    for (const std::uint8_t byte : sha2::Sha512::of(message)) signed_part[at++] = byte;
    return signed_part;
}

}  // namespace quoin::core::hybrid
