// Rounding and encoding eight coefficients at a time.
#include "core/crypto/ml_dsa/avx2.hpp"
#include "core/crypto/target_avx2.hpp"
// Belongs into the region.
#include "core/crypto/ml_dsa/lanes_avx2.hpp"

namespace quoin::core::ml_dsa {
namespace {

// 256 values of `bits` bits, value(eight coefficients).
template <unsigned bits, class Value>
void pack_all(std::uint8_t* out, const Poly& from, Value value) {
    std::size_t i = 0;
    // Stores reach seven bytes beyond: the last three groups go by way of a buffer.
    for (; i < n - 24; i += 8, out += bits) pack_eight<bits>(out, value(load(from.c + i)));
    std::array<std::uint8_t, 3 * bits + 7> last{};
    for (std::size_t group = 0; group < 3; ++group, i += 8) {
        pack_eight<bits>(last.data() + group * bits, value(load(from.c + i)));
    }
    for (std::size_t at = 0; at < std::size_t{3} * bits; ++at) out[at] = last.data()[at];
    ct::wipe(last);
}

// use(eight values) becomes the coefficients.
template <unsigned bits, class Use>
void unpack_all(Poly& to, const std::uint8_t* in, Use use) {
    constexpr std::size_t tail = bits < 8 ? 64 : 24;
    std::size_t i = 0;
    // Loads reach up to 16 bytes beyond: the last groups go by way of a buffer.
    for (; i < n - tail; i += 8, in += bits) store(to.c + i, use(unpack_eight<bits>(in)));
    std::array<std::uint8_t, tail / 8 * bits + 16> last{};
    for (std::size_t at = 0; at < tail / 8 * bits; ++at) last.data()[at] = in[at];
    for (const std::uint8_t* from = last.data(); i < n; i += 8, from += bits) {
        store(to.c + i, use(unpack_eight<bits>(from)));
    }
    ct::wipe(last);
}

struct MinusFrom {
    Vector from;
    Vector operator()(Vector values) const { return _mm256_sub_epi32(from, values); }
};
MinusFrom minus_from(std::int32_t value) { return {_mm256_set1_epi32(value)}; }

struct AsItIs {
    Vector operator()(Vector values) const { return values; }
};
struct ShiftLeft {
    Vector operator()(Vector values) const { return _mm256_slli_epi32(values, d); }
};
// eta - value, and remembers in the sign of `room` if any value was above 2 eta.
struct SmallFrom {
    Vector eta;
    Vector* room;
    Vector operator()(Vector values) const {
        const Vector coefficients = _mm256_sub_epi32(eta, values);
        *room = _mm256_or_si256(*room, _mm256_add_epi32(coefficients, eta));
        return coefficients;
    }
};

// high_bits_unwrapped and decompose of field.hpp.
template <class Set>
Vector high_bits_unwrapped(Vector r) {
    const Vector rounded_up = _mm256_add_epi32(r, _mm256_set1_epi32(Set::gamma2 - 1));
    // Both factors are below 2^15 and not negative: one of the two products of madd is 0.
    if constexpr (Set::w1_count == 44) {
        const Vector shifted = _mm256_srli_epi32(rounded_up, 11);
        return _mm256_srli_epi32(_mm256_madd_epi16(shifted, _mm256_set1_epi32(2819)), 18);
    } else {
        const Vector shifted = _mm256_srli_epi32(rounded_up, 9);
        return _mm256_srli_epi32(_mm256_madd_epi16(shifted, _mm256_set1_epi32(16401)), 24);
    }
}
// All ones where the high bits wrap to 0.
template <class Set>
Vector wraps(Vector high) {
    return _mm256_cmpgt_epi32(high, _mm256_set1_epi32(Set::w1_count - 1));
}

// Four registers of eight bytes' worth into 32 bytes.
void store_bytes(std::uint8_t* out, Vector a, Vector b, Vector c, Vector e) {
    const Vector bytes = _mm256_packus_epi16(_mm256_packs_epi32(a, b), _mm256_packs_epi32(c, e));
    const Vector order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    _mm256_storeu_si256(reinterpret_cast<Vector*>(out), _mm256_permutevar8x32_epi32(bytes, order));
}

Vector load_bytes(const std::uint8_t* from) {
    return _mm256_loadu_si256(reinterpret_cast<const Vector*>(from));
}

template <class Set>
Vector decompose_eight(std::int32_t* w) {
    const Vector r = load(w);
    const Vector high = high_bits_unwrapped<Set>(r);
    const Vector wrapped = wraps<Set>(high);
    const Vector whole = _mm256_mullo_epi32(high, _mm256_set1_epi32(2 * Set::gamma2));
    store(w, _mm256_add_epi32(_mm256_sub_epi32(r, whole), wrapped));
    return _mm256_andnot_si256(wrapped, high);
}

template <class Set>
Vector high_bits_of_eight(const std::int32_t* w) {
    const Vector high = high_bits_unwrapped<Set>(load(w));
    return _mm256_andnot_si256(wraps<Set>(high), high);
}

}  // namespace

template <class Set>
void Coding<Set, Avx2>::power2round(Poly& t, Poly& t0) {
    const Vector round = _mm256_set1_epi32((1 << (d - 1)) - 1);
    for (std::size_t i = 0; i < n; i += 8) {
        const Vector r = load(t.c + i);
        const Vector high = _mm256_srai_epi32(_mm256_add_epi32(r, round), d);
        store(t.c + i, high);
        store(t0.c + i, _mm256_sub_epi32(r, _mm256_slli_epi32(high, d)));
    }
}

template <class Set>
void Coding<Set, Avx2>::decompose(Poly& w, std::uint8_t* high) {
    for (std::size_t i = 0; i < n; i += 32) {
        const Vector a = decompose_eight<Set>(w.c + i);
        const Vector b = decompose_eight<Set>(w.c + i + 8);
        const Vector c = decompose_eight<Set>(w.c + i + 16);
        const Vector e = decompose_eight<Set>(w.c + i + 24);
        store_bytes(high + i, a, b, c, e);
    }
}

template <class Set>
void Coding<Set, Avx2>::pack_w1(std::uint8_t* out, const std::uint8_t* high) {
    if constexpr (Set::w1_bits == 4) {
        const Vector factors = _mm256_set1_epi16(0x1001);  // low + 16 high
        for (std::size_t i = 0; i < n; i += 64, out += 32) {
            const Vector a = _mm256_maddubs_epi16(load_bytes(high + i), factors);
            const Vector b = _mm256_maddubs_epi16(load_bytes(high + i + 32), factors);
            const Vector bytes = _mm256_permute4x64_epi64(_mm256_packus_epi16(a, b), 0xd8);
            _mm256_storeu_si256(reinterpret_cast<Vector*>(out), bytes);
        }
    } else {
        const Vector order =
            _mm256_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1, 0, 1, 2, 4, 5,
                             6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1);
        const Vector gather = _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 7, 7);
        for (std::size_t i = 0; i < n; i += 32, out += 24) {
            // a + 2^6 b, then that + 2^12 of the next
            const Vector pairs =
                _mm256_maddubs_epi16(load_bytes(high + i), _mm256_set1_epi16(0x4001));
            const Vector fours = _mm256_madd_epi16(pairs, _mm256_set1_epi32(0x10000001));
            const Vector bytes =
                _mm256_permutevar8x32_epi32(_mm256_shuffle_epi8(fours, order), gather);
            _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm256_castsi256_si128(bytes));
            _mm_storel_epi64(reinterpret_cast<__m128i*>(out + 16),
                             _mm256_extracti128_si256(bytes, 1));
        }
    }
}

template <class Set>
void Coding<Set, Avx2>::pack_high_bits(std::uint8_t* out, const Poly& w) {
    alignas(32) std::uint8_t high[n];
    for (std::size_t i = 0; i < n; i += 32) {
        store_bytes(high + i, high_bits_of_eight<Set>(w.c + i),
                    high_bits_of_eight<Set>(w.c + i + 8), high_bits_of_eight<Set>(w.c + i + 16),
                    high_bits_of_eight<Set>(w.c + i + 24));
    }
    pack_w1(out, high);
}

template <class Set>
std::size_t Coding<Set, Avx2>::make_hint(HintPositions& positions, const Poly& low,
                                         const std::uint8_t* high) {
    const Vector gamma2 = _mm256_set1_epi32(Set::gamma2);
    const Vector minus_gamma2 = _mm256_set1_epi32(-Set::gamma2);
    std::size_t count = 0;
    for (std::size_t i = 0; i < n; i += 8) {
        const Vector w0 = load(low.c + i);
        const Vector w1 =
            _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(high + i)));
        // -gamma2 is needed unless w1 is 0: hint_needed of field.hpp
        const Vector nonzero = _mm256_cmpgt_epi32(w1, _mm256_setzero_si256());
        const Vector lowest = _mm256_sub_epi32(minus_gamma2, nonzero);
        const Vector needed =
            _mm256_or_si256(_mm256_cmpgt_epi32(w0, gamma2), _mm256_cmpgt_epi32(lowest, w0));
        const unsigned mask = ct::declassified(sign_mask(needed));
        store_word(positions.data() + count,
                   compaction.data()[mask] + 0x0101010101010101U * static_cast<std::uint64_t>(i));
        count += static_cast<std::size_t>(__builtin_popcount(mask));
    }
    return count;
}

template <class Set>
void Coding<Set, Avx2>::pack_t1(std::uint8_t* out, const Poly& t1) {
    pack_all<10>(out, t1, AsItIs{});
}
template <class Set>
void Coding<Set, Avx2>::unpack_t1(Poly& t, const std::uint8_t* in) {
    unpack_all<10>(t, in, ShiftLeft{});
}
template <class Set>
void Coding<Set, Avx2>::pack_t0(std::uint8_t* out, const Poly& t0) {
    pack_all<d>(out, t0, minus_from(1 << (d - 1)));
}
template <class Set>
void Coding<Set, Avx2>::unpack_t0(Poly& t0, const std::uint8_t* in) {
    unpack_all<d>(t0, in, minus_from(1 << (d - 1)));
}
template <class Set>
void Coding<Set, Avx2>::pack_small(std::uint8_t* out, const Poly& s) {
    pack_all<Set::eta_bits>(out, s, minus_from(Set::eta));
}
template <class Set>
bool Coding<Set, Avx2>::unpack_small(Poly& s, const std::uint8_t* in) {
    Vector room = _mm256_setzero_si256();
    unpack_all<Set::eta_bits>(s, in, SmallFrom{_mm256_set1_epi32(Set::eta), &room});
    return ct::declassified(sign_mask(room)) == 0;
}
template <class Set>
void Coding<Set, Avx2>::pack_z(std::uint8_t* out, const Poly& z) {
    pack_all<Set::z_bits>(out, z, minus_from(Set::gamma1));
}
template <class Set>
void Coding<Set, Avx2>::unpack_z(Poly& z, const std::uint8_t* in) {
    unpack_all<Set::z_bits>(z, in, minus_from(Set::gamma1));
}

template struct Coding<Set44, Avx2>;
template struct Coding<Set65, Avx2>;
template struct Coding<Set87, Avx2>;

}  // namespace quoin::core::ml_dsa

#include "core/crypto/target_pop.hpp"
