// Integers modulo L = 2^252 + 27742317777372353535851937790883648493, the order of Ed25519's base
// point: RFC 8032, 5.1. Little-endian bytes. Constant time, but for is_canonical.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace quoin::core::curve25519 {

using Scalar = std::array<std::uint8_t, 32>;

// `wide` modulo L.
Scalar reduce(std::span<const std::uint8_t, 64> wide);

// (a * b + c) modulo L, for any a, b, c below 2^256.
Scalar multiply_add(const Scalar& a, const Scalar& b, const Scalar& c);

// Whether s < L. For public values: the time depends on them.
bool is_canonical(std::span<const std::uint8_t, 32> s);

}  // namespace quoin::core::curve25519
