// Big signed integers of a fixed number of 31-bit limbs, and their residues. For the solver of the
// NTRU equation. Constant time: lengths are public, values are not.
//
// A polynomial of degree n with coefficients of `length` limbs has limb i of coefficient j at [i n
// + j]: a step of n from limb to limb, and each prime's residues are contiguous. The highest limb
// has the sign in its bit 30 (two's complement of 31 length bits).
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/constant_time.hpp"
#include "core/crypto/falcon/mod_p.hpp"

namespace quoin::core::falcon {

inline constexpr std::uint32_t limb_mask = 0x7fffffff;

// A limb whose bit 30 is its sign.
constexpr std::int32_t signed_limb(std::uint32_t limb) {
    return static_cast<std::int32_t>(limb << 1U) >> 1;
}
constexpr std::uint32_t sign_mask(std::uint32_t highest_limb) {  // in 31 bits
    return static_cast<std::uint32_t>(signed_limb(highest_limb) >> 30) & limb_mask;
}

// x mod p.
inline std::uint32_t big_mod(const std::uint32_t* x, std::size_t length, std::size_t step,
                             const ModP& mod) {
    // 2^31 R mod p.
    const std::uint32_t base = mod.to_montgomery(0x80000000U - mod.p());
    std::uint32_t result = mod.of_signed(signed_limb(x[(length - 1) * step]));
    for (std::size_t i = length - 1; i-- > 0;) {
        const std::uint32_t limb = mod.subtract(x[i * step], mod.p());  // below p
        result = mod.add(mod.multiply(result, base), limb);
    }
    return result;
}

// The same for x that is not negative and may use all bits.
inline std::uint32_t big_mod_unsigned(const std::uint32_t* x, std::size_t length, std::size_t step,
                                      const ModP& mod) {
    const std::uint32_t base = mod.to_montgomery(0x80000000U - mod.p());
    std::uint32_t result = 0;
    for (std::size_t i = length; i-- > 0;) {
        const std::uint32_t limb = mod.subtract(x[i * step], mod.p());
        result = mod.add(mod.multiply(result, base), limb);
    }
    return result;
}

// x += a y (y of step 1); the limb that is carried out.
inline std::uint32_t big_add_multiple(std::uint32_t* x, std::size_t step, const std::uint32_t* y,
                                      std::size_t length, std::uint32_t a) {
    std::uint64_t carry = 0;
    for (std::size_t i = 0; i < length; ++i) {
        carry += std::uint64_t{y[i]} * a + x[i * step];
        x[i * step] = static_cast<std::uint32_t>(carry) & limb_mask;
        carry >>= 31U;
    }
    return static_cast<std::uint32_t>(carry);
}

// x -= y under the mask.
inline void big_subtract(std::uint32_t* x, std::size_t step, const std::uint32_t* y,
                         std::size_t length, std::uint32_t mask) {
    std::uint32_t borrow = 0;
    for (std::size_t i = 0; i < length; ++i) {
        const std::uint32_t difference = x[i * step] - (y[i] & mask) - borrow;
        x[i * step] = difference & limb_mask;
        borrow = difference >> 31U;
    }
}

// Residues modulo the first `length` primes become limbs, for each of n coefficients (Garner's
// algorithm). product: 2 * length words.
inline void rebuild(std::uint32_t* x, std::size_t length, std::size_t n, std::uint32_t* product) {
    product[0] = primes[0].p;
    for (std::size_t i = 1; i < length; ++i) {
        const ModP mod(primes[i]);
        const std::uint32_t inverse = mod.to_montgomery(primes[i].inverse);
        for (std::size_t j = 0; j < n; ++j) {
            const std::uint32_t now = big_mod_unsigned(x + j, i, n, mod);
            const std::uint32_t missing = mod.multiply(mod.subtract(x[i * n + j], now), inverse);
            x[i * n + j] = big_add_multiple(x + j, n, product, i, missing);
        }
        product[i] = big_add_multiple(product, 1, product, i, primes[i].p - 1);
    }
    // Above half of the product: negative.
    std::uint32_t* half = product + length;
    for (std::size_t i = 0; i < length; ++i) {
        const std::uint32_t next = i + 1 < length ? product[i + 1] : 0;
        half[i] = (product[i] >> 1U | next << 30U) & limb_mask;
    }
    for (std::size_t j = 0; j < n; ++j) {
        std::uint32_t borrow = 0;  // of half - x
        for (std::size_t i = 0; i < length; ++i) {
            borrow = (half[i] - x[i * n + j] - borrow) >> 31U;
        }
        big_subtract(x + j, n, product, length, 0U - borrow);
    }
}

// x += k y 2^(31 limbs + bits), modulo 2^(31 length); |k| < 2^31, bits < 31. y has y_length limbs
// and its own step.
inline void big_add_shifted(std::uint32_t* x, std::size_t length, std::size_t step,
                            const std::uint32_t* y, std::size_t y_length, std::size_t y_step,
                            std::int32_t k, std::size_t limbs, unsigned bits) {
    const std::uint32_t sign = sign_mask(y[(y_length - 1) * y_step]);
    std::uint32_t before = 0;  // bits that the shift moves into the next limb
    std::int64_t carry = 0;
    for (std::size_t i = limbs; i < length; ++i) {
        const std::size_t at = i - limbs;
        const std::uint32_t limb = at < y_length ? y[at * y_step] : sign;
        const std::uint32_t shifted = (limb << bits & limb_mask) | before;
        before = static_cast<std::uint32_t>(std::uint64_t{limb} << bits >> 31U);
        carry += static_cast<std::int64_t>(shifted) * k + x[i * step];
        x[i * step] = static_cast<std::uint32_t>(carry) & limb_mask;
        carry >>= 31;
    }
}

// x = -x.
inline void big_negate(std::uint32_t* x, std::size_t length, std::uint32_t mask) {
    std::uint32_t carry = mask & 1U;
    for (std::size_t i = 0; i < length; ++i) {
        const std::uint32_t limb = (x[i] ^ (mask & limb_mask)) + carry;
        x[i] = limb & limb_mask;
        carry = limb >> 31U;
    }
}

}  // namespace quoin::core::falcon
