// Arithmetic modulo a 31-bit prime and its number-theoretic transform. For the solver of the NTRU
// equation. Constant time. Values are in [0, p); Montgomery: R = 2^32.
#pragma once

#include <cstdint>

#include "core/crypto/falcon/primes.hpp"

namespace quoin::core::falcon {

class ModP {
public:
    explicit ModP(const Prime& prime) : p_(prime.p), prime_(prime) {
        std::uint32_t inverse = p_;  // of p modulo 2^3; each step doubles the bits
        for (int i = 0; i < 4; ++i) inverse *= 2 - p_ * inverse;
        minus_inverse_ = 0 - inverse;
        std::uint32_t power = 0U - p_ - p_;  // 2^32 mod p, as p is in (2^30, 2^31)
        r_ = power >= p_ ? power - p_ : power;
        power = r_;
        for (int i = 0; i < 32; ++i) power = add(power, power);
        r_squared_ = power;
    }

    std::uint32_t p() const { return p_; }
    std::uint32_t r() const { return r_; }
    std::uint32_t r_squared() const { return r_squared_; }

    std::uint32_t add(std::uint32_t a, std::uint32_t b) const { return reduce(a + b - p_); }
    std::uint32_t subtract(std::uint32_t a, std::uint32_t b) const { return reduce(a - b); }
    // a b / R.
    std::uint32_t multiply(std::uint32_t a, std::uint32_t b) const {
        const std::uint64_t product = std::uint64_t{a} * b;
        const std::uint32_t m = static_cast<std::uint32_t>(product) * minus_inverse_;
        return reduce(static_cast<std::uint32_t>((product + std::uint64_t{m} * p_) >> 32U) - p_);
    }
    // Of a signed value, |a| <= p.
    std::uint32_t of_signed(std::int32_t a) const {
        return reduce(reduce(static_cast<std::uint32_t>(a)) - p_);
    }
    // In (-p / 2, p / 2].
    std::int32_t to_signed(std::uint32_t a) const {
        return static_cast<std::int32_t>(a - (p_ & (0U - (((p_ >> 1U) - a) >> 31U))));
    }
    std::uint32_t to_montgomery(std::uint32_t a) const { return multiply(a, r_squared_); }
    // Of a in Montgomery form; the exponent is public.
    std::uint32_t power(std::uint32_t a, std::uint32_t exponent) const {
        std::uint32_t result = r_;
        for (; exponent != 0; exponent >>= 1U, a = multiply(a, a)) {
            if ((exponent & 1U) != 0) result = multiply(result, a);
        }
        return result;
    }

    // The factors of the transform of degree 2^log_n, and of lower ones: [i] = R psi^(i reversed).
    void make_factors(std::uint32_t* factors, unsigned log_n) const {
        std::uint32_t step = to_montgomery(prime_.psi);
        for (unsigned i = log_n; i < 10; ++i) step = multiply(step, step);
        std::uint32_t power = r_;
        const std::size_t n = std::size_t{1} << log_n;
        std::size_t reversed = 0;
        for (std::size_t i = 0; i < n; ++i) {
            factors[reversed] = power;
            power = multiply(power, step);
            std::size_t bit = n / 2;  // reversed + 1, from the top
            for (; (reversed & bit) != 0; bit /= 2) reversed ^= bit;
            reversed |= bit;
        }
    }
    void transform(std::uint32_t* a, unsigned log_n, const std::uint32_t* factors) const {
        const std::size_t n = std::size_t{1} << log_n;
        for (std::size_t m = 1, length = n / 2; m < n; m *= 2, length /= 2) {
            for (std::size_t b = 0; b < m; ++b) {
                const std::uint32_t factor = factors[m + b];
                for (std::size_t i = 2 * b * length; i < (2 * b + 1) * length; ++i) {
                    const std::uint32_t high = multiply(a[i + length], factor);
                    a[i + length] = subtract(a[i], high);
                    a[i] = add(a[i], high);
                }
            }
        }
    }
    // Times `scale` / R beside.
    void transform_back(std::uint32_t* a, unsigned log_n, const std::uint32_t* factors,
                        std::uint32_t scale) const {
        const std::size_t n = std::size_t{1} << log_n;
        for (std::size_t m = n / 2, length = 1; m >= 1; m /= 2, length *= 2) {
            for (std::size_t b = 0; b < m; ++b) {
                const std::uint32_t factor = factors[2 * m - 1 - b];  // minus the inverse
                for (std::size_t i = 2 * b * length; i < (2 * b + 1) * length; ++i) {
                    const std::uint32_t difference = subtract(a[i + length], a[i]);
                    a[i] = add(a[i], a[i + length]);
                    a[i + length] = multiply(difference, factor);
                }
            }
        }
        for (std::size_t i = 0; i < n; ++i) a[i] = multiply(a[i], scale);
    }
    // R / 2^log_n: the scale of transform_back(), times R for each Montgomery factor to make good.
    std::uint32_t scale(unsigned log_n) const {
        std::uint32_t scale = r_;
        for (unsigned i = 0; i < log_n; ++i) {
            scale = (scale >> 1U) + (((p_ >> 1U) + 1) & (0U - (scale & 1U)));
        }
        return scale;
    }

private:
    // a if a >= 0, else a + p: a in [-p, p).
    std::uint32_t reduce(std::uint32_t a) const { return a + (p_ & (0U - (a >> 31U))); }

    std::uint32_t p_, minus_inverse_, r_, r_squared_;
    const Prime& prime_;
};

}  // namespace quoin::core::falcon
