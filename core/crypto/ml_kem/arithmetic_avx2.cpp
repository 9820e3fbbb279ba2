// NTT and products of ML-KEM with 16 coefficients in a register. Coefficients stay in the order of
// the standard: the last three layers of the NTT shuffle within a pair of registers and back.
#include "core/crypto/ml_kem/arithmetic_avx2.hpp"

#include "core/crypto/target_avx2.hpp"

namespace quoin::core::ml_kem {
namespace {

using Vector = __m256i;

// Multipliers z R, and z R q^-1 mod 2^16 beside them.
template <std::size_t Size>
struct Multipliers {
    alignas(32) std::array<std::int16_t, Size> z;
    alignas(32) std::array<std::int16_t, Size> z_q;

    constexpr void set(std::size_t i, std::int16_t value) {
        z[i] = value;
        z_q[i] = static_cast<std::int16_t>(value * q_inverse);
    }
};

consteval Multipliers<128> make_scalars() {
    Multipliers<128> table{};
    for (std::size_t i = 0; i < 128; ++i) table.set(i, zetas[i]);
    return table;
}

// For pair p of registers (coefficients 32 p to 32 p + 31), where each lane of the layer of this
// length finds its zeta: forward the zetas ascend from `blocks` on, backward they descend.
template <std::size_t Length>
consteval Multipliers<128> make_layer(bool forward) {
    constexpr std::size_t blocks = 128 / Length;
    Multipliers<128> table{};
    for (std::size_t i = 0; i < 128; ++i) {
        const std::size_t block = i / Length;
        table.set(i, zetas[forward ? blocks + block : 2 * blocks - 1 - block]);
    }
    return table;
}

// gamma_i = 17^(2 BitRev7(i) + 1) in the odd lanes: zetas[64 + i / 2], and with a minus.
consteval Multipliers<256> make_gammas() {
    Multipliers<256> table{};
    for (std::size_t i = 0; i < 128; ++i) {
        const std::int16_t zeta = zetas[64 + i / 2];
        table.set(2 * i + 1, static_cast<std::int16_t>(i % 2 == 0 ? zeta : -zeta));
    }
    return table;
}

constexpr Multipliers<128> scalars = make_scalars();
constexpr Multipliers<128> forward_8 = make_layer<8>(true);
constexpr Multipliers<128> forward_4 = make_layer<4>(true);
constexpr Multipliers<128> forward_2 = make_layer<2>(true);
constexpr Multipliers<128> backward_8 = make_layer<8>(false);
constexpr Multipliers<128> backward_4 = make_layer<4>(false);
constexpr Multipliers<128> backward_2 = make_layer<2>(false);
constexpr Multipliers<256> gammas = make_gammas();

Vector load(const std::int16_t* from) {
    return _mm256_load_si256(reinterpret_cast<const Vector*>(from));
}

void store(std::int16_t* to, Vector x) { _mm256_store_si256(reinterpret_cast<Vector*>(to), x); }

Vector all(std::int32_t x) { return _mm256_set1_epi16(static_cast<std::int16_t>(x)); }

struct Multiplier {
    Vector z;
    Vector z_q;
};

Multiplier broadcast(std::int16_t z) { return {all(z), all(z * q_inverse)}; }

Multiplier zeta(std::size_t i) { return {all(scalars.z[i]), all(scalars.z_q[i])}; }

template <std::size_t Size>
Multiplier vector_of(const Multipliers<Size>& table, std::size_t i) {
    return {load(table.z.data() + 16 * i), load(table.z_q.data() + 16 * i)};
}

// x z R^-1: |result| <= |x z| / 2^16 + q / 2, with |z| <= q / 2 below q for any x.
Vector multiply(Vector x, Multiplier m) {
    const Vector high = _mm256_mulhi_epi16(x, m.z);
    const Vector low = _mm256_mullo_epi16(x, m.z_q);
    return _mm256_sub_epi16(high, _mm256_mulhi_epi16(low, all(q)));
}

// |result| < 2200 for any x: 10 / 2^15 is 1 / q but for 2^-17.6.
Vector reduced(Vector x) {
    const Vector quotient = _mm256_mulhrs_epi16(x, all(10));
    return _mm256_sub_epi16(x, _mm256_mullo_epi16(quotient, all(q)));
}

// |result| < 1670 for any x.
Vector centred(Vector x) {
    const Vector quotient = _mm256_mulhrs_epi16(_mm256_mulhi_epi16(x, all(20159)), all(1 << 5));
    return _mm256_sub_epi16(x, _mm256_mullo_epi16(quotient, all(q)));
}

void butterfly(Vector& a, Vector& b, Multiplier m) {
    const Vector t = multiply(b, m);
    b = _mm256_sub_epi16(a, t);
    a = _mm256_add_epi16(a, t);
}

void inverse_butterfly(Vector& a, Vector& b, Multiplier m) {
    const Vector difference = _mm256_sub_epi16(b, a);
    a = _mm256_add_epi16(a, b);
    b = multiply(difference, m);
}

// Exchanges the upper half of a with the lower half of b, in units of 128, 64 and 32 bits: what a
// layer of length 8, 4, 2 adds and subtracts comes to stand in two registers. Its own inverse.
void exchange_128(Vector& a, Vector& b) {
    const Vector low = _mm256_permute2x128_si256(a, b, 0x20);
    b = _mm256_permute2x128_si256(a, b, 0x31);
    a = low;
}

void exchange_64(Vector& a, Vector& b) {
    const Vector low = _mm256_unpacklo_epi64(a, b);
    b = _mm256_unpackhi_epi64(a, b);
    a = low;
}

void exchange_32(Vector& a, Vector& b) {
    const Vector low = _mm256_blend_epi32(a, _mm256_slli_epi64(b, 32), 0xaa);
    b = _mm256_blend_epi32(_mm256_srli_epi64(a, 32), b, 0xaa);
    a = low;
}

// Layers 8, 4 and 2 of pair p.
void small_layers(Vector& a, Vector& b, std::size_t p) {
    exchange_128(a, b);
    butterfly(a, b, vector_of(forward_8, p));
    exchange_64(a, b);
    butterfly(a, b, vector_of(forward_4, p));
    exchange_32(a, b);
    butterfly(a, b, vector_of(forward_2, p));
    exchange_32(a, b);
    exchange_64(a, b);
    exchange_128(a, b);
}

void inverse_small_layers(Vector& a, Vector& b, std::size_t p) {
    exchange_128(a, b);
    exchange_64(a, b);
    exchange_32(a, b);
    inverse_butterfly(a, b, vector_of(backward_2, p));
    exchange_32(a, b);
    inverse_butterfly(a, b, vector_of(backward_4, p));
    exchange_64(a, b);
    inverse_butterfly(a, b, vector_of(backward_8, p));
    exchange_128(a, b);
}

using Avx2Math = Arithmetic<Avx2>;

}  // namespace

// FIPS 203, algorithm 9. Each of seven layers adds less than q: |f| < 8 q < 2^15.
void Avx2Math::ntt(Poly& f) {
    std::int16_t* const c = f.c.data();
    for (std::size_t i = 0; i < 64; i += 16) {
        Vector r0 = load(c + i);
        Vector r1 = load(c + i + 64);
        Vector r2 = load(c + i + 128);
        Vector r3 = load(c + i + 192);
        butterfly(r0, r2, zeta(1));
        butterfly(r1, r3, zeta(1));
        butterfly(r0, r1, zeta(2));
        butterfly(r2, r3, zeta(3));
        store(c + i, r0);
        store(c + i + 64, r1);
        store(c + i + 128, r2);
        store(c + i + 192, r3);
    }
    for (std::size_t g = 0; g < 4; ++g) {
        std::int16_t* const at = c + 64 * g;
        Vector r0 = load(at);
        Vector r1 = load(at + 16);
        Vector r2 = load(at + 32);
        Vector r3 = load(at + 48);
        butterfly(r0, r2, zeta(4 + g));
        butterfly(r1, r3, zeta(4 + g));
        butterfly(r0, r1, zeta(8 + 2 * g));
        butterfly(r2, r3, zeta(9 + 2 * g));
        small_layers(r0, r1, 2 * g);
        small_layers(r2, r3, 2 * g + 1);
        store(at, reduced(r0));
        store(at + 16, reduced(r1));
        store(at + 32, reduced(r2));
        store(at + 48, reduced(r3));
    }
}

// Algorithm 10, times R. Sums double in each layer: 8 * 2800 < 2^15 after three; from 1670 on, 16
// times that after four more.
void Avx2Math::inverse_ntt(Poly& f) {
    std::int16_t* const c = f.c.data();
    for (std::size_t g = 0; g < 4; ++g) {
        std::int16_t* const at = c + 64 * g;
        Vector r0 = load(at);
        Vector r1 = load(at + 16);
        Vector r2 = load(at + 32);
        Vector r3 = load(at + 48);
        inverse_small_layers(r0, r1, 2 * g);
        inverse_small_layers(r2, r3, 2 * g + 1);
        r0 = centred(r0);
        r1 = centred(r1);
        r2 = centred(r2);
        r3 = centred(r3);
        inverse_butterfly(r0, r1, zeta(15 - 2 * g));
        inverse_butterfly(r2, r3, zeta(14 - 2 * g));
        inverse_butterfly(r0, r2, zeta(7 - g));
        inverse_butterfly(r1, r3, zeta(7 - g));
        store(at, r0);
        store(at + 16, r1);
        store(at + 32, r2);
        store(at + 48, r3);
    }
    // The last layer and the factor R / 128 in one: for the sums, and with zeta for the others.
    constexpr std::int16_t last_zeta = to_montgomery(power_of_17(64) * r_by_128);
    for (std::size_t i = 0; i < 64; i += 16) {
        Vector r0 = load(c + i);
        Vector r1 = load(c + i + 64);
        Vector r2 = load(c + i + 128);
        Vector r3 = load(c + i + 192);
        inverse_butterfly(r0, r1, zeta(3));
        inverse_butterfly(r2, r3, zeta(2));
        inverse_butterfly(r0, r2, broadcast(last_zeta));
        inverse_butterfly(r1, r3, broadcast(last_zeta));
        store(c + i, multiply(r0, broadcast(r_squared_by_128)));
        store(c + i + 64, multiply(r1, broadcast(r_squared_by_128)));
        store(c + i + 128, r2);
        store(c + i + 192, r3);
    }
}

void Avx2Math::prepare(Multiplicand& out, const Poly& f) {
    const Vector swap = _mm256_set1_epi64x(0x0504070601000302);
    const Vector both =
        _mm256_add_epi8(swap, _mm256_setr_epi64x(0, 0x0808080808080808, 0, 0x0808080808080808));
    for (std::size_t i = 0; i < 16; ++i) {
        const Vector b = load(f.c.data() + 16 * i);
        const Vector times_gamma = multiply(b, vector_of(gammas, i));
        store(out.direct.data() + 16 * i, _mm256_blend_epi16(b, times_gamma, 0xaa));
        store(out.swapped.data() + 16 * i, _mm256_shuffle_epi8(b, both));
    }
}

// FIPS 203, algorithm 12, on pairs (a0, a1): c0 and c1 as sums of 32 bits, reduced once.
void Avx2Math::Sum::finish(Poly& out) const {
    for (std::size_t i = 0; i < 256; i += 16) {
        Vector c0 = _mm256_setzero_si256();
        Vector c1 = _mm256_setzero_si256();
        for (std::size_t j = 0; j < count_; ++j) {
            const Vector a = load(a_[j]->c.data() + i);
            c0 = _mm256_add_epi32(c0, _mm256_madd_epi16(a, load(b_[j]->direct.data() + i)));
            c1 = _mm256_add_epi32(c1, _mm256_madd_epi16(a, load(b_[j]->swapped.data() + i)));
        }
        // x R^-1 = (x - (x q^-1 mod R) q) / R: the lower halves cancel, the upper ones subtract.
        const Vector low = _mm256_blend_epi16(c0, _mm256_slli_epi32(c1, 16), 0xaa);
        const Vector high = _mm256_blend_epi16(_mm256_srli_epi32(c0, 16), c1, 0xaa);
        const Vector m = _mm256_mullo_epi16(low, all(q_inverse));
        store(out.c.data() + i, _mm256_sub_epi16(high, _mm256_mulhi_epi16(m, all(q))));
    }
}

void Avx2Math::undo_montgomery(Poly& f) {
    for (std::size_t i = 0; i < 256; i += 16) {
        store(f.c.data() + i, multiply(load(f.c.data() + i), broadcast(r_squared)));
    }
}

void Avx2Math::add(Poly& f, const Poly& g) {
    for (std::size_t i = 0; i < 256; i += 16) {
        store(f.c.data() + i, _mm256_add_epi16(load(f.c.data() + i), load(g.c.data() + i)));
    }
}

void Avx2Math::subtract_from(Poly& f, const Poly& g) {
    for (std::size_t i = 0; i < 256; i += 16) {
        store(f.c.data() + i, _mm256_sub_epi16(load(g.c.data() + i), load(f.c.data() + i)));
    }
}

void Avx2Math::reduce(Poly& f) {
    for (std::size_t i = 0; i < 256; i += 16) {
        store(f.c.data() + i, reduced(load(f.c.data() + i)));
    }
}

}  // namespace quoin::core::ml_kem

#include "core/crypto/target_pop.hpp"
