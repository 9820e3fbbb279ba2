// Integers modulo q and the roundings of FIPS 204, without branches. For ml_dsa/ only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/base/constant_time.hpp"
#include "core/crypto/ml_dsa/set.hpp"

namespace quoin::core::ml_dsa {

// q^-1 mod 2^32, as a signed number: FIPS 204, Algorithm 49 (QINV).
inline constexpr std::int32_t q_inverse = 58728449;
// 2^64 / 256 mod q: undoes the 2^8 of the inverse NTT and leaves one factor 2^32.
inline constexpr std::int32_t inverse_ntt_factor = 41978;

constexpr std::int32_t wrap(std::uint32_t value) { return static_cast<std::int32_t>(value); }

// FIPS 204, Algorithm 49: a 2^-32 mod q, in (-q, q) for |a| < 2^31 q.
constexpr std::int32_t montgomery_reduce(std::int64_t a) {
    const std::int32_t t =
        wrap(static_cast<std::uint32_t>(a) * static_cast<std::uint32_t>(q_inverse));
    return static_cast<std::int32_t>((a - std::int64_t{t} * q) >> 32);
}

constexpr std::int32_t montgomery_multiply(std::int32_t a, std::int32_t b) {
    return montgomery_reduce(std::int64_t{a} * b);
}

// a mod q, for |a| <= 2^31 - 2^22: in [-6283009, 6283007]. A number smaller than q/4 keeps its
// value, whichever of its representatives comes in.
constexpr std::int32_t reduce(std::int32_t a) { return a - ((a + (1 << 22)) >> 23) * q; }

// (-q, q) to [0, q).
constexpr std::int32_t to_unsigned(std::int32_t a) { return a + ((a >> 31) & q); }

// FIPS 204, Algorithm 35 (Power2Round), for r in [0, q): r = high 2^13 + low, low in (-2^12, 2^12].
struct Split {
    std::int32_t high;
    std::int32_t low;
};
constexpr Split power2round(std::int32_t r) {
    const std::int32_t high = (r + (1 << (d - 1)) - 1) >> d;
    return {high, r - (high << d)};
}

// ceil((r - gamma2) / (2 gamma2)) for r in [0, q), which is in [0, w1_count]: the division of
// Algorithm 36, by a multiplication. 2 gamma2 is 2^11 93 or 2^9 1023; after the shift the number is
// below 4139 or 16880, where the rounded-up reciprocals are exact (the tests try all of them).
template <class Set>
constexpr std::int32_t high_bits_unwrapped(std::int32_t r) {
    const std::int32_t rounded_up = r + Set::gamma2 - 1;
    if constexpr (Set::w1_count == 44) {
        return ((rounded_up >> 11) * 2819) >> 18;
    } else {
        return ((rounded_up >> 9) * 16401) >> 24;
    }
}

// FIPS 204, Algorithm 36 (Decompose), for r in [0, q): low in [-gamma2, gamma2], high in
// [0, w1_count).
template <class Set>
constexpr Split decompose(std::int32_t r) {
    const std::int32_t high = high_bits_unwrapped<Set>(r);
    // All ones where r+ - r0 = q - 1: high becomes 0 and low one less (line 3).
    // Behind a barrier: clang makes a branch of it.
    const std::int32_t wraps = ct::barrier((Set::w1_count - 1 - high) >> 31);
    return {high & ~wraps, r - high * (2 * Set::gamma2) + wraps};
}

// FIPS 204, Algorithm 40 (UseHint) where the hint is set; r in [0, q). Public: it branches.
template <class Set>
constexpr std::int32_t use_set_hint(std::int32_t r) {
    const Split parts = decompose<Set>(r);
    if (parts.low > 0) return parts.high == Set::w1_count - 1 ? 0 : parts.high + 1;
    return parts.high == 0 ? Set::w1_count - 1 : parts.high - 1;
}

// 1 where HighBits(high 2 gamma2 + low) is not `high`, for low in [-2 gamma2, 2 gamma2]: FIPS 204,
// Algorithm 39 (MakeHint). Only -gamma2 depends on `high`: it belongs to 0 alone (line 3 of
// Algorithm 36).
template <class Set>
constexpr std::int32_t hint_needed(std::int32_t high, std::int32_t low) {
    const std::uint32_t above = static_cast<std::uint32_t>(Set::gamma2 - low) >> 31U;
    const std::uint32_t nonzero = static_cast<std::uint32_t>(-high) >> 31U;
    const std::uint32_t below =
        static_cast<std::uint32_t>(low + Set::gamma2 - static_cast<std::int32_t>(nonzero)) >> 31U;
    return static_cast<std::int32_t>(above | below);
}

// zeta^BitRev8(m) 2^32 mod q, in (-q/2, q/2): FIPS 204, appendix B, in Montgomery form.
consteval std::array<std::int32_t, n> make_zetas() {
    constexpr std::int64_t zeta = 1753;
    std::array<std::int64_t, n> powers{};
    powers[0] = (std::int64_t{1} << 32) % q;
    for (std::size_t i = 1; i < n; ++i) powers[i] = powers[i - 1] * zeta % q;
    std::array<std::int32_t, n> zetas{};
    for (std::size_t m = 0; m < n; ++m) {
        std::size_t reversed = 0;  // Algorithm 43
        for (std::size_t bit = 0; bit < 8; ++bit) reversed |= ((m >> bit) & 1U) << (7 - bit);
        const std::int64_t power = powers[reversed];
        zetas[m] = static_cast<std::int32_t>(power > q / 2 ? power - q : power);
    }
    return zetas;
}

}  // namespace quoin::core::ml_dsa
