// Polynomials of R_q = Z_q[X] / (X^256 + 1), q = 3329, and what a backend does with them.
//
// Montgomery: R = 2^16. reduce(x) = x R^-1 mod q. Coefficients are signed and lazily reduced; each
// function states the ranges it takes and gives. "reduced" means |x| < q.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/crypto/backend.hpp"

namespace quoin::core::ml_kem {

inline constexpr std::int32_t q = 3329;
inline constexpr std::int32_t q_inverse = -3327;  // q^-1 mod 2^16

struct Poly {
    alignas(32) std::array<std::int16_t, 256> c;
};

constexpr std::int32_t power_of_17(unsigned exponent) {
    std::int32_t result = 1;
    for (unsigned i = 0; i < exponent; ++i) result = result * 17 % q;
    return result;
}

constexpr unsigned reverse_7_bits(unsigned i) {
    unsigned result = 0;
    for (unsigned bit = 0; bit < 7; ++bit) result |= ((i >> bit) & 1U) << (6 - bit);
    return result;
}

// x R mod q, in (-q / 2, q / 2).
constexpr std::int16_t to_montgomery(std::int32_t x) {
    const auto scaled = static_cast<std::int32_t>(((x % q) + q) * std::int64_t{65536} % q);
    return static_cast<std::int16_t>(scaled > q / 2 ? scaled - q : scaled);
}

// zetas[i] = 17^BitRev7(i) R: FIPS 203, appendix A.
consteval std::array<std::int16_t, 128> make_zetas() {
    std::array<std::int16_t, 128> zetas{};
    for (unsigned i = 0; i < 128; ++i) zetas[i] = to_montgomery(power_of_17(reverse_7_bits(i)));
    return zetas;
}

inline constexpr std::array<std::int16_t, 128> zetas = make_zetas();

// R^2 mod q: a Montgomery product with it turns x R^-1 into x.
inline constexpr std::int16_t r_squared = to_montgomery(to_montgomery(1));
// R^2 / 128 mod q, the same and the inverse NTT's factor at once; 3303 = 128^-1.
inline constexpr std::int32_t r_by_128 = 3303 * to_montgomery(1) % q;
inline constexpr std::int16_t r_squared_by_128 = to_montgomery(r_by_128);

// The arithmetic of a backend; specialised in arithmetic_portable.hpp and arithmetic_avx2.hpp.
template <class Backend>
struct Arithmetic;

}  // namespace quoin::core::ml_kem
