// The transform with eight coefficients in a register.
//
// Own order: in each block of 64 coefficients, register j holds the coefficients 8 i + j. So the
// last three layers, which the standard's order would put inside registers, run between registers.
#include "core/crypto/ml_dsa/field.hpp"
#include "core/crypto/ml_dsa/ring.hpp"
#include "core/crypto/target_avx2.hpp"

namespace quoin::core::ml_dsa {
namespace {

using Vector = __m256i;
using Eight = std::int32_t[8];

constexpr std::int32_t times_q_inverse(std::int32_t factor) {
    return wrap(static_cast<std::uint32_t>(factor) * static_cast<std::uint32_t>(q_inverse));
}

// The factors of one direction, each with its product by q^-1.
struct Twiddles {
    // Of block b in the layer of B blocks, at [B + b]: the layers between registers.
    std::int32_t whole[64];
    std::int32_t whole_q[64];
    // For each of the four blocks of 64: layer 4; layer 2 for the registers 0..3 and 4..7; layer 1
    // for each pair of registers.
    alignas(32) Eight lanes[4][7];
    alignas(32) Eight lanes_q[4][7];
};

consteval Twiddles make_twiddles(bool inverse) {
    constexpr std::array<std::int32_t, n> zetas = make_zetas();
    std::array<std::int32_t, n> factors{};
    for (std::size_t blocks = 1; blocks < n; blocks *= 2) {
        for (std::size_t b = 0; b < blocks; ++b) {
            factors[blocks + b] = inverse ? -zetas[2 * blocks - 1 - b] : zetas[blocks + b];
        }
    }
    Twiddles twiddles{};
    for (std::size_t m = 0; m < 64; ++m) {
        twiddles.whole[m] = factors[m];
        twiddles.whole_q[m] = times_q_inverse(factors[m]);
    }
    for (std::size_t block = 0; block < 4; ++block) {
        for (std::size_t i = 0; i < 8; ++i) {
            const std::size_t group = 8 * block + i;
            const std::array<std::size_t, 7> from{
                32 + group,          64 + 2 * group,      64 + 2 * group + 1, 128 + 4 * group,
                128 + 4 * group + 1, 128 + 4 * group + 2, 128 + 4 * group + 3};
            for (std::size_t layer = 0; layer < 7; ++layer) {
                twiddles.lanes[block][layer][i] = factors[from[layer]];
                twiddles.lanes_q[block][layer][i] = times_q_inverse(factors[from[layer]]);
            }
        }
    }
    return twiddles;
}

constexpr Twiddles forward = make_twiddles(false);
constexpr Twiddles backward = make_twiddles(true);

Vector load(const std::int32_t* from) {
    return _mm256_load_si256(reinterpret_cast<const Vector*>(from));
}
void store(std::int32_t* to, Vector value) {
    _mm256_store_si256(reinterpret_cast<Vector*>(to), value);
}

// The odd elements, at the even places.
Vector odd(Vector a) { return _mm256_castps_si256(_mm256_movehdup_ps(_mm256_castsi256_ps(a))); }

// The high halves of the 64-bit elements of both, in turns.
Vector high_halves(Vector even, Vector odds) { return _mm256_blend_epi32(odd(even), odds, 0xaa); }

// A constant factor and its product by q^-1, for the even and for the odd places.
struct Factor {
    Vector even;
    Vector odds;
    Vector even_q;
    Vector odds_q;
};

Factor broadcast(std::int32_t factor, std::int32_t factor_q) {
    const Vector both = _mm256_set1_epi32(factor);
    const Vector both_q = _mm256_set1_epi32(factor_q);
    return {both, both, both_q, both_q};
}
Factor whole(const Twiddles& twiddles, std::size_t m) {
    return broadcast(twiddles.whole[m], twiddles.whole_q[m]);
}
Factor lanes(const Twiddles& twiddles, std::size_t block, std::size_t layer) {
    const Vector factor = load(twiddles.lanes[block][layer]);
    const Vector factor_q = load(twiddles.lanes_q[block][layer]);
    return {factor, odd(factor), factor_q, odd(factor_q)};
}

// b factor 2^-32, in (-q, q): Algorithm 49, with (b factor) q^-1 as b (factor q^-1).
Vector multiply(Vector b, const Factor& factor) {
    const Vector modulus = _mm256_set1_epi32(q);
    const Vector b_odd = odd(b);
    const Vector t_even = _mm256_mul_epi32(_mm256_mul_epi32(b, factor.even_q), modulus);
    const Vector t_odd = _mm256_mul_epi32(_mm256_mul_epi32(b_odd, factor.odds_q), modulus);
    const Vector even = _mm256_sub_epi64(_mm256_mul_epi32(b, factor.even), t_even);
    const Vector odds = _mm256_sub_epi64(_mm256_mul_epi32(b_odd, factor.odds), t_odd);
    return high_halves(even, odds);
}

// Montgomery's reduction of 64-bit products at even and odd places.
Vector reduce_products(Vector even, Vector odds) {
    const Vector modulus = _mm256_set1_epi32(q);
    const Vector inverse = _mm256_set1_epi32(q_inverse);
    const Vector t_even = _mm256_mul_epi32(_mm256_mul_epi32(even, inverse), modulus);
    const Vector t_odd = _mm256_mul_epi32(_mm256_mul_epi32(odds, inverse), modulus);
    return high_halves(_mm256_sub_epi64(even, t_even), _mm256_sub_epi64(odds, t_odd));
}

// Algorithm 41, lines 11 to 13.
void butterfly(Vector& a, Vector& b, const Factor& factor) {
    const Vector t = multiply(b, factor);
    b = _mm256_sub_epi32(a, t);
    a = _mm256_add_epi32(a, t);
}

// Algorithm 42, lines 11 to 14; the factor is -zeta.
void inverse_butterfly(Vector& a, Vector& b, const Factor& factor) {
    const Vector difference = _mm256_sub_epi32(a, b);
    a = _mm256_add_epi32(a, b);
    b = multiply(difference, factor);
}

struct Block {
    Vector v[8];
};

Block load_block(const std::int32_t* from) {
    return {{load(from), load(from + 8), load(from + 16), load(from + 24), load(from + 32),
             load(from + 40), load(from + 48), load(from + 56)}};
}
void store_block(std::int32_t* to, const Block& block) {
    store(to, block.v[0]);
    store(to + 8, block.v[1]);
    store(to + 16, block.v[2]);
    store(to + 24, block.v[3]);
    store(to + 32, block.v[4]);
    store(to + 40, block.v[5]);
    store(to + 48, block.v[6]);
    store(to + 56, block.v[7]);
}

// Element i of register j becomes element j of register i.
void transpose(Block& block) {
    Vector(&v)[8] = block.v;
    const Vector a0 = _mm256_unpacklo_epi32(v[0], v[1]);
    const Vector a1 = _mm256_unpackhi_epi32(v[0], v[1]);
    const Vector a2 = _mm256_unpacklo_epi32(v[2], v[3]);
    const Vector a3 = _mm256_unpackhi_epi32(v[2], v[3]);
    const Vector a4 = _mm256_unpacklo_epi32(v[4], v[5]);
    const Vector a5 = _mm256_unpackhi_epi32(v[4], v[5]);
    const Vector a6 = _mm256_unpacklo_epi32(v[6], v[7]);
    const Vector a7 = _mm256_unpackhi_epi32(v[6], v[7]);
    const Vector b0 = _mm256_unpacklo_epi64(a0, a2);
    const Vector b1 = _mm256_unpackhi_epi64(a0, a2);
    const Vector b2 = _mm256_unpacklo_epi64(a1, a3);
    const Vector b3 = _mm256_unpackhi_epi64(a1, a3);
    const Vector b4 = _mm256_unpacklo_epi64(a4, a6);
    const Vector b5 = _mm256_unpackhi_epi64(a4, a6);
    const Vector b6 = _mm256_unpacklo_epi64(a5, a7);
    const Vector b7 = _mm256_unpackhi_epi64(a5, a7);
    v[0] = _mm256_permute2x128_si256(b0, b4, 0x20);
    v[1] = _mm256_permute2x128_si256(b1, b5, 0x20);
    v[2] = _mm256_permute2x128_si256(b2, b6, 0x20);
    v[3] = _mm256_permute2x128_si256(b3, b7, 0x20);
    v[4] = _mm256_permute2x128_si256(b0, b4, 0x31);
    v[5] = _mm256_permute2x128_si256(b1, b5, 0x31);
    v[6] = _mm256_permute2x128_si256(b2, b6, 0x31);
    v[7] = _mm256_permute2x128_si256(b3, b7, 0x31);
}

using Step = void (*)(Vector&, Vector&, const Factor&);

// Three layers between the eight registers: outermost factor, then two, then four.
template <Step step>
[[gnu::always_inline]] inline void layer_of_one(Block& block, const Factor& factor) {
    Vector(&v)[8] = block.v;
    step(v[0], v[4], factor);
    step(v[1], v[5], factor);
    step(v[2], v[6], factor);
    step(v[3], v[7], factor);
}
template <Step step>
[[gnu::always_inline]] inline void layer_of_two(Block& block, const Factor& low,
                                                const Factor& high) {
    Vector(&v)[8] = block.v;
    step(v[0], v[2], low);
    step(v[1], v[3], low);
    step(v[4], v[6], high);
    step(v[5], v[7], high);
}
template <Step step>
[[gnu::always_inline]] inline void layer_of_four(Block& block, const Factor& a, const Factor& b,
                                                 const Factor& c, const Factor& e) {
    Vector(&v)[8] = block.v;
    step(v[0], v[1], a);
    step(v[2], v[3], b);
    step(v[4], v[5], c);
    step(v[6], v[7], e);
}

// Layers 128 and 64 of the transform.
void outer_layers(std::int32_t* w) {
    const Factor factor = whole(forward, 1);
    const Factor low = whole(forward, 2);
    const Factor high = whole(forward, 3);
    for (std::size_t at = 0; at < 64; at += 8) {
        Vector a = load(w + at);
        Vector b = load(w + at + 64);
        Vector c = load(w + at + 128);
        Vector e = load(w + at + 192);
        butterfly(a, c, factor);
        butterfly(b, e, factor);
        butterfly(a, b, low);
        butterfly(c, e, high);
        store(w + at, a);
        store(w + at + 64, b);
        store(w + at + 128, c);
        store(w + at + 192, e);
    }
}

// Layers 64 and 128 of the inverse, and the last factor.
void inverse_outer_layers(std::int32_t* w) {
    constexpr std::int32_t last = inverse_ntt_factor;
    constexpr std::int32_t last_zeta = montgomery_multiply(backward.whole[1], inverse_ntt_factor);
    const Factor scale = broadcast(last, times_q_inverse(last));
    const Factor factor = broadcast(last_zeta, times_q_inverse(last_zeta));
    const Factor low = whole(backward, 2);
    const Factor high = whole(backward, 3);
    for (std::size_t at = 0; at < 64; at += 8) {
        Vector a = load(w + at);
        Vector b = load(w + at + 64);
        Vector c = load(w + at + 128);
        Vector e = load(w + at + 192);
        inverse_butterfly(a, b, low);
        inverse_butterfly(c, e, high);
        inverse_butterfly(a, c, factor);
        inverse_butterfly(b, e, factor);
        store(w + at, multiply(a, scale));
        store(w + at + 64, multiply(b, scale));
        store(w + at + 128, c);
        store(w + at + 192, e);
    }
}

}  // namespace

template <>
void Ring<Avx2>::ntt(Poly& w) {
    outer_layers(w.c);
    for (std::size_t b = 0; b < 4; ++b) {
        Block block = load_block(w.c + 64 * b);
        layer_of_one<butterfly>(block, whole(forward, 4 + b));
        layer_of_two<butterfly>(block, whole(forward, 8 + 2 * b), whole(forward, 9 + 2 * b));
        layer_of_four<butterfly>(block, whole(forward, 16 + 4 * b), whole(forward, 17 + 4 * b),
                                 whole(forward, 18 + 4 * b), whole(forward, 19 + 4 * b));
        transpose(block);
        layer_of_one<butterfly>(block, lanes(forward, b, 0));
        layer_of_two<butterfly>(block, lanes(forward, b, 1), lanes(forward, b, 2));
        layer_of_four<butterfly>(block, lanes(forward, b, 3), lanes(forward, b, 4),
                                 lanes(forward, b, 5), lanes(forward, b, 6));
        store_block(w.c + 64 * b, block);
    }
}

// Sums double in each layer: 2^8 q < 2^31 before the last factor.
template <>
void Ring<Avx2>::inverse_ntt(Poly& w) {
    for (std::size_t b = 0; b < 4; ++b) {
        Block block = load_block(w.c + 64 * b);
        layer_of_four<inverse_butterfly>(block, lanes(backward, b, 3), lanes(backward, b, 4),
                                         lanes(backward, b, 5), lanes(backward, b, 6));
        layer_of_two<inverse_butterfly>(block, lanes(backward, b, 1), lanes(backward, b, 2));
        layer_of_one<inverse_butterfly>(block, lanes(backward, b, 0));
        transpose(block);
        layer_of_four<inverse_butterfly>(block, whole(backward, 16 + 4 * b),
                                         whole(backward, 17 + 4 * b), whole(backward, 18 + 4 * b),
                                         whole(backward, 19 + 4 * b));
        layer_of_two<inverse_butterfly>(block, whole(backward, 8 + 2 * b),
                                        whole(backward, 9 + 2 * b));
        layer_of_one<inverse_butterfly>(block, whole(backward, 4 + b));
        store_block(w.c + 64 * b, block);
    }
    inverse_outer_layers(w.c);
}

template <>
void Ring<Avx2>::to_own_order(Poly& w) {
    for (std::size_t b = 0; b < 4; ++b) {
        Block block = load_block(w.c + 64 * b);
        transpose(block);
        store_block(w.c + 64 * b, block);
    }
}

template <>
void Ring<Avx2>::dot(Poly& out, const Poly* a, const Poly* b, std::size_t count) {
    for (std::size_t i = 0; i < n; i += 8) {
        Vector even = _mm256_setzero_si256();
        Vector odds = _mm256_setzero_si256();
        for (std::size_t j = 0; j < count; ++j) {
            const Vector x = load(a[j].c + i);
            const Vector y = load(b[j].c + i);
            even = _mm256_add_epi64(even, _mm256_mul_epi32(x, y));
            odds = _mm256_add_epi64(odds, _mm256_mul_epi32(odd(x), odd(y)));
        }
        store(out.c + i, reduce_products(even, odds));
    }
}

template <>
void Ring<Avx2>::multiply(Poly& out, const Poly& a, const Poly& b) {
    dot(out, &a, &b, 1);
}

template <>
void Ring<Avx2>::add(Poly& out, const Poly& a, const Poly& b) {
    for (std::size_t i = 0; i < n; i += 8) {
        store(out.c + i, _mm256_add_epi32(load(a.c + i), load(b.c + i)));
    }
}

template <>
void Ring<Avx2>::subtract(Poly& out, const Poly& a, const Poly& b) {
    for (std::size_t i = 0; i < n; i += 8) {
        store(out.c + i, _mm256_sub_epi32(load(a.c + i), load(b.c + i)));
    }
}

template <>
void Ring<Avx2>::reduce(Poly& w) {
    const Vector half = _mm256_set1_epi32(1 << 22);
    const Vector modulus = _mm256_set1_epi32(q);
    for (std::size_t i = 0; i < n; i += 8) {
        const Vector a = load(w.c + i);
        const Vector times = _mm256_srai_epi32(_mm256_add_epi32(a, half), 23);
        store(w.c + i, _mm256_sub_epi32(a, _mm256_mullo_epi32(times, modulus)));
    }
}

template <>
void Ring<Avx2>::to_unsigned(Poly& w) {
    const Vector modulus = _mm256_set1_epi32(q);
    for (std::size_t i = 0; i < n; i += 8) {
        const Vector a = load(w.c + i);
        const Vector correction = _mm256_and_si256(_mm256_srai_epi32(a, 31), modulus);
        store(w.c + i, _mm256_add_epi32(a, correction));
    }
}

template <>
bool Ring<Avx2>::exceeds(const Poly& w, std::int32_t bound) {
    const Vector limit = _mm256_set1_epi32(bound - 1);
    Vector above = _mm256_setzero_si256();
    for (std::size_t i = 0; i < n; i += 8) {
        const Vector size = _mm256_abs_epi32(load(w.c + i));
        above = _mm256_or_si256(above, _mm256_cmpgt_epi32(size, limit));
    }
    return _mm256_testz_si256(above, above) == 0;
}

}  // namespace quoin::core::ml_dsa

#include "core/crypto/target_pop.hpp"
