// The extended greatest common divisor of two odd big integers by divsteps: D. J. Bernstein,
// B.-Y. Yang, "Fast constant-time gcd computation and modular inversion" (2019), with the starting
// point 1/2 of P. Wuille's variant. For the solver of the NTRU equation.
#pragma once

#include <array>

#include "core/base/declassify.hpp"
#include "core/crypto/falcon/big.hpp"

namespace quoin::core::falcon {

// Thirty divsteps: (f, g) becomes (u f + v g, q f + r g) / 2^30; |u| + |v|, |q| + |r| <= 2^30.
struct Divsteps {
    std::int64_t u = 1, v = 0, q = 0, r = 1;

    // Of the low bits of f (odd) and g; returns zeta = -(delta + 1/2) after them.
    std::int32_t run(std::int32_t zeta, std::uint32_t f, std::uint32_t g) {
        std::uint32_t a = 1, b = 0, c = 0, d = 1;
        for (int i = 0; i < 30; ++i) {
            const auto swap = static_cast<std::uint32_t>(ct::barrier(zeta) >> 31);
            const std::uint32_t odd = 0U - (g & 1U);
            g += ((f ^ swap) - swap) & odd;
            c += ((a ^ swap) - swap) & odd;
            d += ((b ^ swap) - swap) & odd;
            const std::uint32_t both = swap & odd;
            zeta = static_cast<std::int32_t>(static_cast<std::uint32_t>(zeta) ^ both) - 1;
            f += g & both;
            a += c & both;
            b += d & both;
            g >>= 1U;
            a <<= 1U;
            b <<= 1U;
        }
        u = static_cast<std::int32_t>(a);
        v = static_cast<std::int32_t>(b);
        q = static_cast<std::int32_t>(c);
        r = static_cast<std::int32_t>(d);
        return zeta;
    }
};

// Writes (u x + v y) / 2^30, (q x + r y) / 2^30 over x and y; m_x and m_y times the modulus are
// added before, so that the divisions are exact.
inline void apply(const Divsteps& t, std::uint32_t* x, std::uint32_t* y, std::int64_t m_x,
                  std::int64_t m_y, const std::uint32_t* modulus, std::size_t length) {
    std::int64_t carry_x = 0, carry_y = 0;
    std::uint32_t before_x = 0, before_y = 0;
    for (std::size_t i = 0; i < length; ++i) {
        const bool last = i + 1 == length;
        const std::int64_t a = last ? signed_limb(x[i]) : static_cast<std::int64_t>(x[i]);
        const std::int64_t b = last ? signed_limb(y[i]) : static_cast<std::int64_t>(y[i]);
        carry_x += t.u * a + t.v * b + m_x * modulus[i];  // |sum| < 2^61 + 2^62
        carry_y += t.q * a + t.r * b + m_y * modulus[i];
        const std::uint32_t low_x = static_cast<std::uint32_t>(carry_x) & limb_mask;
        const std::uint32_t low_y = static_cast<std::uint32_t>(carry_y) & limb_mask;
        if (i > 0) {
            x[i - 1] = (before_x >> 30U | low_x << 1U) & limb_mask;
            y[i - 1] = (before_y >> 30U | low_y << 1U) & limb_mask;
        }
        before_x = low_x;
        before_y = low_y;
        carry_x >>= 31;
        carry_y >>= 31;
    }
    x[length - 1] = (before_x >> 30U | static_cast<std::uint32_t>(carry_x) << 1U) & limb_mask;
    y[length - 1] = (before_y >> 30U | static_cast<std::uint32_t>(carry_y) << 1U) & limb_mask;
}

// 1 / a modulo 2^31, a odd.
inline std::uint32_t inverse_of_odd(std::uint32_t a) {
    std::uint32_t inverse = a;
    for (int i = 0; i < 4; ++i) inverse *= 2 - a * inverse;
    return inverse & limb_mask;
}

// How many batches of 30 divsteps surely end for numbers of this many bits: (45907 bits + 26313) /
// 19929 divsteps.
constexpr std::size_t divstep_batches(std::size_t bits) {
    return ((45907 * bits + 26313) / 19929 + 30) / 30;
}

// u = 1 / x modulo y, in [0, y); x and y odd, positive and below 2^(31 length - 2). False if they
// have a common divisor, which is public. scratch: 3 length words.
inline bool big_inverse(std::uint32_t* u, const std::uint32_t* x, const std::uint32_t* y,
                        std::size_t length, std::uint32_t* scratch) {
    std::uint32_t* f = scratch;
    std::uint32_t* g = f + length;
    std::uint32_t* e = g + length;  // f = u x, g = e x modulo y; both in (-2 y, y)
    for (std::size_t i = 0; i < length; ++i) {
        f[i] = y[i];
        g[i] = x[i];
        u[i] = 0;
        e[i] = i == 0 ? 1 : 0;
    }
    const std::uint32_t y_inverse = inverse_of_odd(y[0]);
    std::int32_t zeta = -1;
    for (std::size_t batch = divstep_batches(31 * length); batch > 0; --batch) {
        Divsteps t;
        zeta = t.run(zeta, f[0], g[0]);
        apply(t, f, g, 0, 0, y, length);
        // y is added where u or e is negative: they are in (-y, y) then; then what makes the sums
        // divisible by 2^30 is taken away.
        const std::int64_t u_negative = signed_limb(u[length - 1]) >> 30;
        const std::int64_t e_negative = signed_limb(e[length - 1]) >> 30;
        constexpr std::uint32_t low_30 = (1U << 30U) - 1;
        const auto complete = [&](std::int64_t of_u, std::int64_t of_e) {
            const std::int64_t m = (of_u & u_negative) + (of_e & e_negative);
            const std::uint32_t low = static_cast<std::uint32_t>(of_u) * u[0] +
                                      static_cast<std::uint32_t>(of_e) * e[0] +
                                      static_cast<std::uint32_t>(m) * y[0];
            return m - static_cast<std::int64_t>(low * y_inverse & low_30);
        };
        const std::int64_t m_u = complete(t.u, t.v), m_e = complete(t.q, t.r);
        apply(t, u, e, m_u, m_e, y, length);
    }
    // f is 1 or -1.
    const std::uint32_t negative = sign_mask(f[length - 1]);
    std::uint32_t wrong = f[0] ^ (1U | negative);
    for (std::size_t i = 1; i < length; ++i) wrong |= f[i] ^ negative;
    const auto make_positive = [&] {
        const std::uint32_t mask = 0U - (sign_mask(u[length - 1]) & 1U);
        std::uint32_t carry = 0;
        for (std::size_t i = 0; i < length; ++i) {
            carry += u[i] + (y[i] & mask);
            u[i] = carry & limb_mask;
            carry >>= 31U;
        }
    };
    make_positive();
    big_negate(u, length, 0U - (negative & 1U));
    make_positive();
    return ct::declassified(wrong) == 0;
}

// v = (u x - 1) / y, which is exact, modulo 2^(31 length). scratch: length words.
inline void exact_quotient(std::uint32_t* v, const std::uint32_t* u, const std::uint32_t* x,
                           const std::uint32_t* y, std::size_t length, std::uint32_t* scratch) {
    for (std::size_t i = 0; i < length; ++i) scratch[i] = 0;
    for (std::size_t i = 0; i < length; ++i) {
        big_add_multiple(scratch + i, 1, x, length - i, u[i]);
    }
    scratch[0] -= 1;  // u x = 1 modulo y, y odd; u x >= 1, and its last limb may be 0
    for (std::size_t i = 0; i + 1 < length; ++i) {
        scratch[i + 1] -= scratch[i] >> 31U;
        scratch[i] &= limb_mask;
    }
    scratch[length - 1] &= limb_mask;
    const std::uint32_t y_inverse = inverse_of_odd(y[0]);
    for (std::size_t i = 0; i < length; ++i) {
        v[i] = scratch[i] * y_inverse & limb_mask;
        // minus v[i] y 2^(31 i)
        std::int64_t carry = 0;
        for (std::size_t j = 0; i + j < length; ++j) {
            carry += static_cast<std::int64_t>(scratch[i + j]) -
                     static_cast<std::int64_t>(std::uint64_t{v[i]} * y[j]);
            scratch[i + j] = static_cast<std::uint32_t>(carry) & limb_mask;
            carry >>= 31;
        }
    }
}

}  // namespace quoin::core::falcon
