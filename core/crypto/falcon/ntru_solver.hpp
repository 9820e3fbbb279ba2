// NTRUSolve: specification, Algorithms 6 and 7: F and G with f G - g F = q, by the tower of fields
// (T. Pornin, T. Prest, "More Efficient Algorithms for the NTRU Key Generation using the Field
// Norm", 2019). For falcon/ only.
//
// Depth d has polynomials of degree n / 2^d: f_0 = f, f_(d+1)(x^2) = f_d(x) f_d(-x), and the same
// for g. At depth log n the equation is one of integers; on the way back F_d = F_(d+1)(x^2)
// g_d(-x), G_d likewise, which are then reduced against f_d and g_d (Babai).
//
// Constant time: lengths and numbers of rounds are from tables, for the sizes that nearly all keys
// have. A key that has others, or no solution, gives a wrong result, which the last check finds.
#pragma once

#include <algorithm>

#include "core/crypto/falcon/fft.hpp"
#include "core/crypto/falcon/inverse.hpp"
#include "core/crypto/falcon/private_key.hpp"

namespace quoin::core::falcon {

// The bits of the largest coefficients of f_d and g_d, without sign: the mean and six standard
// deviations, the statistics that the authors' reference code uses. Not measured again here; what
// exceeds them makes a candidate fail, no wrong key.
struct DepthSize {
    int bits, deviation;
    std::size_t fg_limbs;         // of f_d, g_d; and of F_d, G_d when reduced
    std::size_t unreduced_limbs;  // of F_d, G_d before
};
inline constexpr std::array<DepthSize, 11> depth_sizes{{
    {4, 0, 1, 1},
    {11, 6, 1, 2},
    {24, 6, 2, 4},
    {50, 6, 2, 6},
    {102, 6, 4, 11},
    {202, 12, 7, 21},
    {401, 24, 14, 41},
    {794, 30, 27, 79},
    {1577, 48, 53, 157},
    {3138, 78, 106, 312},
    {6308, 150, 209, 0},
}};

template <class Set>
constexpr std::size_t fg_words(unsigned depth) {  // of f_d and g_d
    return 2 * (Set::n >> depth) * depth_sizes[depth].fg_limbs;
}
template <class Set>
constexpr std::size_t fg_offset(unsigned depth) {
    std::size_t offset = 0;
    for (unsigned d = 0; d < depth; ++d) offset += fg_words<Set>(d);
    return offset;
}

template <class Set, class Real>
struct SolverWorkspace {
    using Polynomial = std::array<Real, Set::n>;
    alignas(32) std::array<Polynomial, 4> reals;  // f, g, F, G
    alignas(32) std::array<Real, Set::n / 2> inverse_norms;
    alignas(32) std::array<std::uint32_t, fg_offset<Set>(Set::log_n + 1)> fg;  // of all depths
    std::array<std::uint32_t, 2 * Set::n> FG;                                  // of this depth
    std::array<std::uint32_t, Set::n> deeper_FG;                               // of the one below
    std::array<std::uint32_t, 7 * Set::n> scratch;
};

template <class Set, class Real, class Wide>
class NtruSolver {
    using Fft = falcon::Fft<Real, Wide>;
    using Words = std::uint32_t*;

public:
    explicit NtruSolver(SolverWorkspace<Set, Real>& workspace) : w_(workspace) {}

    // F and G of basis.f and basis.g. False if there are none (the resultants have a common
    // divisor, or a coefficient would not be in [-127, 127]): that is public, as the next f and g
    // are fresh.
    bool solve(Basis<Set>& basis) {
        for (std::size_t i = 0; i < Set::n; ++i) {
            w_.fg[i] = static_cast<std::uint32_t>(basis.f[i]) & limb_mask;
            w_.fg[Set::n + i] = static_cast<std::uint32_t>(basis.g[i]) & limb_mask;
        }
        for (unsigned depth = 0; depth < Set::log_n; ++depth) descend(depth);
        if (!solve_deepest()) return false;
        for (unsigned depth = Set::log_n; depth-- > 0;) {
            lift(depth);
            if (!reduce(depth)) return false;
        }
        return finish(basis);
    }

private:
    static constexpr std::size_t degree(unsigned depth) { return Set::n >> depth; }
    Words f(unsigned depth) { return w_.fg.data() + fg_offset<Set>(depth); }
    Words g(unsigned depth) { return f(depth) + degree(depth) * depth_sizes[depth].fg_limbs; }
    Words F() { return w_.FG.data(); }
    Words G(unsigned depth, std::size_t limbs) { return w_.FG.data() + degree(depth) * limbs; }

    // Residues of a polynomial, transformed.
    static void residues(Words to, const std::uint32_t* x, std::size_t limbs, unsigned log_n,
                         const ModP& mod, const std::uint32_t* factors) {
        const std::size_t n = std::size_t{1} << log_n;
        for (std::size_t j = 0; j < n; ++j) to[j] = big_mod(x + j, limbs, n, mod);
        mod.transform(to, log_n, factors);
    }

    // f and g of the next depth: Algorithm 6, lines 7 and 8 (field norm).
    void descend(unsigned depth) {
        const unsigned log_n = Set::log_n - depth;
        const std::size_t n = degree(depth), half = n / 2;
        const std::size_t from = depth_sizes[depth].fg_limbs, to = depth_sizes[depth + 1].fg_limbs;
        const Words factors = w_.scratch.data(), values = factors + n;
        for (std::size_t i = 0; i < to; ++i) {
            const ModP mod(primes[i]);
            mod.make_factors(factors, log_n);
            const std::uint32_t scale = mod.to_montgomery(mod.scale(log_n - 1));
            for (const auto& [source, target] :
                 {std::pair{f(depth), f(depth + 1)}, std::pair{g(depth), g(depth + 1)}}) {
                residues(values, source, from, log_n, mod, factors);
                const Words norm = target + i * half;
                for (std::size_t b = 0; b < half; ++b) {
                    norm[b] = mod.multiply(values[2 * b], values[2 * b + 1]);
                }
                mod.transform_back(norm, log_n - 1, factors, scale);
            }
        }
        rebuild(f(depth + 1), to, half, w_.scratch.data());
        rebuild(g(depth + 1), to, half, w_.scratch.data());
    }

    // Algorithm 6, lines 1 to 5: G = q u and F = q v where u f - v g = 1, all integers.
    bool solve_deepest() {
        constexpr unsigned depth = Set::log_n;
        constexpr std::size_t limbs = depth_sizes[depth].fg_limbs;
        const Words v = w_.deeper_FG.data(), u = v + limbs;
        const bool coprime = big_inverse(u, f(depth), g(depth), limbs, w_.scratch.data());
        exact_quotient(v, u, f(depth), g(depth), limbs, w_.scratch.data());
        for (const Words x : {u, v}) {
            for (std::size_t i = 0; i < limbs; ++i) w_.scratch[i] = x[i];
            big_add_multiple(x, 1, w_.scratch.data(), limbs, q - 1);
        }
        return coprime;
    }

    // Unreduced F and G of this depth from those of the next: Algorithm 6, lines 10 and 11.
    void lift(unsigned depth) {
        const unsigned log_n = Set::log_n - depth;
        const std::size_t n = degree(depth), half = n / 2;
        const std::size_t fg_limbs = depth_sizes[depth].fg_limbs;
        const std::size_t deeper_limbs = depth_sizes[depth + 1].fg_limbs;
        const std::size_t limbs = depth_sizes[depth].unreduced_limbs;
        const Words factors = w_.scratch.data(), values = factors + n, deeper = values + n;
        for (std::size_t i = 0; i < limbs; ++i) {
            const ModP mod(primes[i]);
            mod.make_factors(factors, log_n);
            const std::uint32_t scale = mod.to_montgomery(mod.scale(log_n));
            const auto product = [&](Words to, const std::uint32_t* of_deeper,
                                     const std::uint32_t* other) {
                residues(deeper, of_deeper, deeper_limbs, log_n - 1, mod, factors);
                residues(values, other, fg_limbs, log_n, mod, factors);
                for (std::size_t b = 0; b < n; ++b) {  // at -root: the neighbour
                    to[b] = mod.multiply(deeper[b / 2], values[b ^ 1U]);
                }
                mod.transform_back(to, log_n, factors, scale);
            };
            product(F() + i * n, w_.deeper_FG.data(), g(depth));
            product(G(depth, limbs) + i * n, w_.deeper_FG.data() + half * deeper_limbs, f(depth));
        }
        rebuild(F(), limbs, n, w_.scratch.data());
        rebuild(G(depth, limbs), limbs, n, w_.scratch.data());
    }

    // The highest limbs, up to ten, as reals in units of the lowest of them. One at a time: so that
    // nothing is lost where a negative number begins with limbs of ones.
    static constexpr std::size_t real_limbs = 10;
    static void to_reals(Real* to, const std::uint32_t* x, std::size_t limbs, std::size_t n) {
        const Real base = Real::from_integer(std::int64_t{1} << 31U);
        const std::size_t lowest = limbs - std::min(limbs, real_limbs);
        for (std::size_t j = 0; j < n; ++j) {
            Real sum = Real::from_integer(signed_limb(x[(limbs - 1) * n + j]));
            for (std::size_t i = limbs - 1; i-- > lowest;) {
                sum = sum * base + Real::from_integer(x[i * n + j]);
            }
            to[j] = sum;
        }
        Fft::transform(to, n);
    }

    static Real power_of_2(int exponent) {
        return Real::from_bits(static_cast<std::uint64_t>(1023 + exponent) << 52U);
    }

    // Algorithm 7 (Reduce): F -= k f, G -= k g with k = round((F f* + G g*) / (f f* + g g*)), from
    // the highest bits down, 25 at a time. F and G of the usual length go to deeper_FG.
    bool reduce(unsigned depth) {
        const std::size_t n = degree(depth);
        const auto& size = depth_sizes[depth];
        const std::size_t fg_real = std::min(size.fg_limbs, real_limbs);
        auto& [rf, rg, rF, rG] = w_.reals;
        to_reals(rf.data(), f(depth), size.fg_limbs, n);
        to_reals(rg.data(), g(depth), size.fg_limbs, n);
        Fft::for_lanes(n / 2, [&]<class V>(V, std::size_t i) {
            const auto a = Fft::template get<V>(rf.data(), i, n);
            const auto b = Fft::template get<V>(rg.data(), i, n);
            (V::all(Real::from_integer(1)) / (a.squared_norm() + b.squared_norm()))
                .store(w_.inverse_norms.data() + i);
        });
        const std::size_t unreduced = size.unreduced_limbs;
        std::size_t limbs = unreduced;
        int FG_bits = 31 * static_cast<int>(limbs);
        int shift = std::max(0, FG_bits - (size.bits - size.deviation) - 27);
        std::uint32_t large = 0;
        if (by_transforms(depth)) prepare_products(depth);
        for (;;) {
            to_reals(rF.data(), F(), limbs, n);
            to_reals(rG.data(), G(depth, unreduced), limbs, n);
            const auto lowest = static_cast<int>(limbs - std::min(limbs, real_limbs));
            const auto fg_lowest = static_cast<int>(size.fg_limbs - fg_real);
            quotient(n, power_of_2(31 * (lowest - fg_lowest) - shift), large);
            subtract_products(depth, limbs, unreduced, shift);
            const int after = shift + size.bits + size.deviation + 10;
            FG_bits = std::min(FG_bits, after);
            while (limbs > size.fg_limbs && 31 * static_cast<int>(limbs) >= FG_bits + 31) --limbs;
            if (shift == 0) break;
            shift = std::max(0, shift - 25);
        }
        for (std::size_t i = 0; depth > 0 && i < size.fg_limbs * n; ++i) {
            w_.deeper_FG[i] = F()[i];
            w_.deeper_FG[size.fg_limbs * n + i] = G(depth, unreduced)[i];
        }
        return ct::declassified(large) == 0;
    }

    // k at the start of scratch, from what rF and rG are now.
    void quotient(std::size_t n, Real unit, std::uint32_t& large) {
        auto& [rf, rg, rF, rG] = w_.reals;
        Fft::for_lanes(n / 2, [&]<class V>(V, std::size_t i) {
            const auto sum = Fft::template get<V>(rF.data(), i, n) *
                                 Fft::template get<V>(rf.data(), i, n).conjugate() +
                             Fft::template get<V>(rG.data(), i, n) *
                                 Fft::template get<V>(rg.data(), i, n).conjugate();
            Fft::put(rF.data(), i, n, sum * V::load(w_.inverse_norms.data() + i));
        });
        Fft::transform_back(rF.data(), n);
        for (std::size_t i = 0; i < n; ++i) {
            const Real value = rF[i] * unit;
            // 2^30 and more are beyond what the sizes allow.
            const auto exponent = static_cast<std::uint32_t>(value.bits() >> 52U) & 0x7ffU;
            large |= (1023U + 29U - exponent) >> 31U;
            w_.scratch[i] = static_cast<std::uint32_t>(value.round());
        }
    }

    // Depths of large degree multiply by transforms, modulo this many primes: k has 30 bits.
    static constexpr bool by_transforms(unsigned depth) { return depth <= 4; }
    static constexpr std::size_t product_limbs(unsigned depth) {
        return depth == 0 ? 1 : depth_sizes[depth].fg_limbs + 1;
    }
    // In scratch, in words: k, n; the factors of a prime and k's residues, n each; the products of
    // k with f and g; the residues of f and g, transformed, in Montgomery form.
    Words factors(std::size_t n) { return w_.scratch.data() + n; }
    Words k_residues(std::size_t n) { return w_.scratch.data() + 2 * n; }
    Words products(std::size_t n) { return w_.scratch.data() + 3 * n; }
    Words fg_residues(std::size_t n, std::size_t limbs) { return products(n) + 2 * n * limbs; }

    void prepare_products(unsigned depth) {
        const unsigned log_n = Set::log_n - depth;
        const std::size_t n = degree(depth), limbs = product_limbs(depth);
        for (std::size_t i = 0; i < limbs; ++i) {
            const ModP mod(primes[i]);
            mod.make_factors(factors(n), log_n);
            Words to = fg_residues(n, limbs) + 2 * i * n;
            residues(to, f(depth), depth_sizes[depth].fg_limbs, log_n, mod, factors(n));
            residues(to + n, g(depth), depth_sizes[depth].fg_limbs, log_n, mod, factors(n));
            for (std::size_t j = 0; j < 2 * n; ++j) to[j] = mod.to_montgomery(to[j]);
        }
    }

    // F -= k f 2^shift, G -= k g 2^shift.
    void subtract_products(unsigned depth, std::size_t limbs, std::size_t unreduced, int shift) {
        const std::size_t by_limbs = static_cast<std::size_t>(shift) / 31;
        const unsigned by_bits = static_cast<unsigned>(shift) % 31;
        const Words G_words = G(depth, unreduced);
        if (!by_transforms(depth)) {
            subtract_schoolbook(F(), f(depth), depth, limbs, by_limbs, by_bits);
            return subtract_schoolbook(G_words, g(depth), depth, limbs, by_limbs, by_bits);
        }
        make_products(depth);
        const std::size_t n = degree(depth), length = product_limbs(depth);
        for (std::size_t j = 0; j < n; ++j) {
            big_add_shifted(F() + j, limbs, n, products(n) + j, length, n, -1, by_limbs, by_bits);
            big_add_shifted(G_words + j, limbs, n, products(n) + n * length + j, length, n, -1,
                            by_limbs, by_bits);
        }
    }
    void subtract_schoolbook(Words x, const std::uint32_t* y, unsigned depth, std::size_t limbs,
                             std::size_t by_limbs, unsigned by_bits) {
        const std::size_t n = degree(depth);
        for (std::size_t i = 0; i < n; ++i) {
            const auto k = static_cast<std::int32_t>(w_.scratch[i]);
            for (std::size_t j = 0; j < n; ++j) {
                const std::size_t at = i + j;  // x^n = -1
                big_add_shifted(x + at % n, limbs, n, y + j, depth_sizes[depth].fg_limbs, n,
                                at < n ? -k : k, by_limbs, by_bits);
            }
        }
    }
    void make_products(unsigned depth) {
        const unsigned log_n = Set::log_n - depth;
        const std::size_t n = degree(depth), length = product_limbs(depth);
        for (std::size_t i = 0; i < length; ++i) {
            const ModP mod(primes[i]);
            mod.make_factors(factors(n), log_n);
            const std::uint32_t scale = mod.scale(log_n);
            const Words k = k_residues(n);
            for (std::size_t j = 0; j < n; ++j) {
                k[j] = mod.of_signed(static_cast<std::int32_t>(w_.scratch[j]));
            }
            mod.transform(k, log_n, factors(n));
            for (std::size_t fg = 0; fg < 2; ++fg) {
                const Words from = fg_residues(n, length) + (2 * i + fg) * n;
                const Words to = products(n) + (fg * length + i) * n;
                for (std::size_t j = 0; j < n; ++j) to[j] = mod.multiply(k[j], from[j]);
                mod.transform_back(to, log_n, factors(n), scale);
            }
        }
        rebuild(products(n), length, n, factors(n));
        rebuild(products(n) + n * length, length, n, factors(n));
    }

    // F and G at depth 0 are one limb; f G - g F = q modulo a prime that is larger than any
    // coefficient can be, and coefficients in range.
    bool finish(Basis<Set>& basis) {
        constexpr std::size_t n = Set::n;
        std::uint32_t wrong = 0;
        for (const auto& [to, from] : {std::pair{&basis.F, F()}, std::pair{&basis.G, G(0, 1)}}) {
            for (std::size_t i = 0; i < n; ++i) {
                const std::int32_t c = signed_limb(from[i]);
                wrong |= static_cast<std::uint32_t>(c + 127) | static_cast<std::uint32_t>(127 - c);
                (*to)[i] = static_cast<std::int8_t>(c);
            }
        }
        wrong >>= 31U;
        const ModP mod(primes[0]);
        const Words factors = w_.scratch.data(), a = factors + n, b = a + n, c = b + n, d = c + n;
        mod.make_factors(factors, Set::log_n);
        residues(a, f(0), 1, Set::log_n, mod, factors);
        residues(b, G(0, 1), 1, Set::log_n, mod, factors);
        residues(c, g(0), 1, Set::log_n, mod, factors);
        residues(d, F(), 1, Set::log_n, mod, factors);
        const std::uint32_t expected = mod.multiply(q, 1);  // all values of the constant q, / R
        for (std::size_t i = 0; i < n; ++i) {
            wrong |= mod.subtract(mod.multiply(a[i], b[i]), mod.multiply(c[i], d[i])) ^ expected;
        }
        return ct::declassified(wrong) == 0;
    }

    SolverWorkspace<Set, Real>& w_;
};

}  // namespace quoin::core::falcon
