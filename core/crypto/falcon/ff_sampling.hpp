// Fast Fourier sampling: specification, Algorithms 8 (LDL*), 9 (ffLDL*) and 11 (ffSampling_n). For
// falcon/ only.
//
// With the tree made in advance, or with its nodes made and forgotten on the way: the same
// operations on the same values, so the same samples. A node of degree n in memory is its L10 (n
// reals), its right subtree, its left subtree; a leaf is one real, 1 / sigma'.
#pragma once

#include "core/crypto/falcon/fft.hpp"
#include "core/crypto/falcon/sampler.hpp"
#include "core/crypto/falcon/tree.hpp"

namespace quoin::core::falcon {

// What the sampler needs beside the tree.
template <class Real, class Source>
struct Width {
    Source& source;
    Real inverse_sigma;  // of the signature
    Real sigma_min;
};

template <class Real, class Wide>
class Ldl {
    using Fft = falcon::Fft<Real, Wide>;

public:
    // Of G = [[g00, g01], [g01*, g11]]: g01 becomes L10 = g01* / g00, g11 becomes D11 = g11 - L10
    // L10* g00; D00 is g00. g00 and g11 are self-adjoint: n / 2 reals.
    static void decompose(const Real* g00, Real* g01, Real* g11, std::size_t n) {
        Fft::for_lanes(n / 2, [&]<class V>(V, std::size_t i) {
            const auto g10 = Fft::template get<V>(g01, i, n).conjugate();
            const V inverse = V::all(Real::from_integer(1)) / V::load(g00 + i);
            const auto l10 = g10 * inverse;
            Fft::put(g01, i, n, l10);
            (V::load(g11 + i) - (l10.re * g10.re + l10.im * g10.im)).store(g11 + i);
        });
    }

    // The G of the subtree of d (n / 2 reals): d0 in d[0, n / 4), d1 (n / 2 reals), d0 again in
    // d[n / 4, n / 2).
    static void descend(Real* d, Real* d1, std::size_t n) {
        Fft::split_real(d, d1, d, n);
        for (std::size_t i = 0; i < n / 4; ++i) d[n / 4 + i] = d[i];
    }

    // The tree of G, which is destroyed. scratch: n reals.
    static void make_tree(Real* tree, Real* g00, Real* g01, Real* g11, std::size_t n,
                          Real inverse_sigma, Real* scratch) {
        decompose(g00, g01, g11, n);
        for (std::size_t i = 0; i < n; ++i) tree[i] = g01[i];
        Real* right = tree + n;
        Real* left = right + tree_size(n / 2);
        if (n == 2) {
            *right = leaf(*g11, inverse_sigma);
            *left = leaf(*g00, inverse_sigma);
            return;
        }
        for (const auto& [subtree, d] : {std::pair{right, g11}, std::pair{left, g00}}) {
            descend(d, scratch, n);
            make_tree(subtree, d, scratch, d + n / 4, n / 2, inverse_sigma, scratch + n / 2);
        }
    }

    // sigma' = sigma / sqrt(d); kept as 1 / sigma'.
    static Real leaf(Real d, Real inverse_sigma) { return d.square_root() * inverse_sigma; }
};

template <class Real, class Wide, class Source>
class FfSampling {
    using Fft = falcon::Fft<Real, Wide>;
    using Ldl = falcon::Ldl<Real, Wide>;

public:
    explicit FfSampling(Width<Real, Source> width) : width_(width) {}

    // t0, t1 become z0, z1. scratch: 2 n reals.
    void sample(Real* t0, Real* t1, const Real* tree, std::size_t n, Real* scratch) {
        const Real* right = tree + n;
        const Real* left = right + tree_size(n / 2);
        if (n == 2) return sample_2(t0, t1, tree, *right, *left);
        Real* z0 = scratch;
        Real* z1 = scratch + n / 2;
        Fft::split(z0, z1, t1, n);
        sample(z0, z1, right, n / 2, scratch + n);
        adjust(t0, t1, tree, z0, z1, n);
        Fft::split(z0, z1, t0, n);
        sample(z0, z1, left, n / 2, scratch + n);
        merge(t0, z0, z1, n);
    }

    // The same for G, which is destroyed, instead of its tree. scratch: 3 n reals.
    void sample_dynamic(Real* t0, Real* t1, Real* g00, Real* g01, Real* g11, std::size_t n,
                        Real* scratch) {
        Ldl::decompose(g00, g01, g11, n);
        if (n == 2) {
            return sample_2(t0, t1, g01, Ldl::leaf(*g11, width_.inverse_sigma),
                            Ldl::leaf(*g00, width_.inverse_sigma));
        }
        Real* z0 = scratch;
        Real* z1 = scratch + n / 2;
        Real* d1 = scratch + n;
        Real* rest = scratch + n + n / 2;
        Fft::split(z0, z1, t1, n);
        Ldl::descend(g11, d1, n);
        sample_dynamic(z0, z1, g11, d1, g11 + n / 4, n / 2, rest);
        adjust(t0, t1, g01, z0, z1, n);
        Fft::split(z0, z1, t0, n);
        Ldl::descend(g00, d1, n);
        sample_dynamic(z0, z1, g00, d1, g00 + n / 4, n / 2, rest);
        merge(t0, z0, z1, n);
    }

private:
    // The lowest node: L10 is one complex value; below it, Algorithm 11 for n = 1 (lines 1 to 5).
    void sample_2(Real* t0, Real* t1, const Real* l10, Real right, Real left) {
        using Value = Complex<typename Fft::One>;
        const Value t1_before{{t1[0]}, {t1[1]}};
        sample_1(t1, right);
        const Value z1{{t1[0]}, {t1[1]}}, l{{l10[0]}, {l10[1]}};
        const Value t0_adjusted = Value{{t0[0]}, {t0[1]}} + (t1_before - z1) * l;
        t0[0] = t0_adjusted.re.value;
        t0[1] = t0_adjusted.im.value;
        sample_1(t0, left);
    }
    void sample_1(Real* t, Real inverse_sigma) {
        for (std::size_t i = 0; i < 2; ++i) {
            t[i] =
                Real::from_integer(sampler_z(width_.source, t[i], inverse_sigma, width_.sigma_min));
        }
    }

    // Algorithm 11, lines 9 and 10: z1 = mergefft(its halves) takes the place of t1;
    // t0 += (t1 - z1) L10.
    static void adjust(Real* t0, Real* t1, const Real* l10, const Real* z0, const Real* z1,
                       std::size_t n) {
        Fft::for_lanes(n / 4, [&]<class V>(V, std::size_t i) {
            const auto [z_even, z_odd] = Fft::template merged<V>(z0, z1, i, n);
            const auto [t1_even, t1_odd] = Fft::template get_pairs<V>(t1, i, n);
            const auto [t0_even, t0_odd] = Fft::template get_pairs<V>(t0, i, n);
            const auto [l_even, l_odd] = Fft::template get_pairs<V>(l10, i, n);
            Fft::put_pairs(t0, i, n, t0_even + (t1_even - z_even) * l_even,
                           t0_odd + (t1_odd - z_odd) * l_odd);
            Fft::put_pairs(t1, i, n, z_even, z_odd);
        });
    }
    static void merge(Real* f, const Real* f0, const Real* f1, std::size_t n) {
        Fft::for_lanes(n / 4, [&]<class V>(V, std::size_t i) {
            const auto [even, odd] = Fft::template merged<V>(f0, f1, i, n);
            Fft::put_pairs(f, i, n, even, odd);
        });
    }

    Width<Real, Source> width_;
};

}  // namespace quoin::core::falcon
