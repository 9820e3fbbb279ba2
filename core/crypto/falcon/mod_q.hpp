// Arithmetic modulo q on 16-bit words, and the roots of the number-theoretic transform. For falcon/
// only.
//
// A value stands for its class; ranges are stated. Montgomery: R = 2^16.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/crypto/falcon/set.hpp"

namespace quoin::core::falcon {

inline constexpr std::int32_t q_inverse = -12287;  // q^-1 mod 2^16, as a signed word
static_assert(static_cast<std::uint16_t>(q * q_inverse) == 1);

// a R^-1 for |a| < 2^15 q; in (-q, q), and at most |a| / 2^16 + q / 2.
constexpr std::int16_t montgomery_reduce(std::int32_t a) {
    const auto m = static_cast<std::int16_t>(static_cast<std::int16_t>(a) * q_inverse);
    return static_cast<std::int16_t>((a - m * q) >> 16);
}

constexpr std::int16_t montgomery_multiply(std::int16_t a, std::int16_t b) {
    return montgomery_reduce(std::int32_t{a} * b);
}

// The representative of a in [-6145, 6144 + 1]: |a| <= 2^15. 5461 = round(2^26 / q).
constexpr std::int16_t barrett_reduce(std::int16_t a) {
    const std::int32_t quotient = (a * 5461 + (1 << 25)) >> 26;
    return static_cast<std::int16_t>(a - quotient * q);
}

// In [-(q - 1) / 2, (q - 1) / 2], for a in (-q, q).
constexpr std::int16_t center(std::int32_t a) {
    a -= q & ((q / 2 - a) >> 31);
    a += q & ((a + q / 2) >> 31);
    return static_cast<std::int16_t>(a);
}

constexpr std::int16_t times_r(std::int64_t a) {
    return center(static_cast<std::int32_t>((a << 16) % q));
}

// 7 generates a subgroup of order 2048: 7 is a primitive root of unity of that order modulo q.
inline constexpr std::int32_t root_of_2048 = 7;

constexpr std::int32_t power(std::int32_t base, unsigned exponent) {
    std::int64_t result = 1;
    for (std::int64_t square = base; exponent != 0; exponent >>= 1U, square = square * square % q) {
        if ((exponent & 1U) != 0) result = result * square % q;
    }
    return static_cast<std::int32_t>(result);
}
static_assert(power(root_of_2048, 1024) == q - 1);

constexpr unsigned reverse_bits(unsigned value, unsigned bits) {
    unsigned reversed = 0;
    for (; bits != 0; --bits, value >>= 1U) reversed = reversed << 1U | (value & 1U);
    return reversed;
}

// [i] = R psi^(i with its 10 bits reversed), psi^1024 = -1: block b of the layer with B blocks uses
// [B + b], whatever n is.
consteval std::array<std::int16_t, 1024> make_zetas() {
    std::array<std::int16_t, 1024> zetas{};
    for (unsigned i = 0; i < zetas.size(); ++i) {
        zetas[i] = times_r(power(root_of_2048, reverse_bits(i, 10)));
    }
    return zetas;
}

}  // namespace quoin::core::falcon
