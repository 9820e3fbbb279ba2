// Packing, compression and CBD of ML-KEM with 16 coefficients in a register.
#include "core/base/constant_time.hpp"
#include "core/crypto/ml_kem/arithmetic_avx2.hpp"
#include "core/crypto/target_avx2.hpp"

namespace quoin::core::ml_kem {
namespace {

using Vector = __m256i;
using Avx2Math = Arithmetic<Avx2>;

Vector load(const std::int16_t* from) {
    return _mm256_load_si256(reinterpret_cast<const Vector*>(from));
}

void store(std::int16_t* to, Vector x) { _mm256_store_si256(reinterpret_cast<Vector*>(to), x); }

Vector all(std::int32_t x) { return _mm256_set1_epi16(static_cast<std::int16_t>(x)); }

__m128i load_16(const std::uint8_t* from) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
}

void store_16(std::uint8_t* to, __m128i x) { _mm_storeu_si128(reinterpret_cast<__m128i*>(to), x); }

// Room for D bytes of each eight coefficients, and for the rest of the last 16-byte access.
template <std::size_t D>
using Slack = std::array<std::uint8_t, 32 * D + 16>;

// Eight numbers of D bits (16-bit elements of a half) to D bytes, in each half.
template <std::size_t D>
Vector packed(Vector x) {
    constexpr int gap = 32 - 2 * D;
    constexpr std::int64_t even = gap;
    const Vector pairs = _mm256_madd_epi16(x, _mm256_set1_epi32(1 | 1 << (16 + D)));
    // 4 D bits in each 64.
    const Vector fours = _mm256_srli_epi64(_mm256_sllv_epi32(pairs, _mm256_set1_epi64x(even)), gap);
    const Vector low =
        _mm256_or_si256(fours, _mm256_slli_epi64(_mm256_bsrli_epi128(fours, 8), 4 * D));
    if constexpr (D <= 8) return low;
    return _mm256_blend_epi32(low, _mm256_srli_epi64(fours, 64 - 4 * D), 0xcc);
}

// `number(i)` gives numbers 16 i to 16 i + 15. Stores run up to 16 - D bytes over, which the next
// one overwrites; the last block goes by way of a buffer.
template <std::size_t D, class Number>
void pack(std::span<std::uint8_t, 32 * D> out, Number number) {
    const auto put = [](std::uint8_t* to, Vector x) {
        store_16(to, _mm256_castsi256_si128(x));
        store_16(to + D, _mm256_extracti128_si256(x, 1));
    };
    constexpr std::size_t direct = D >= 10 ? 15 : 14;
    for (std::size_t i = 0; i < direct; ++i) put(out.data() + 2 * D * i, packed<D>(number(i)));
    std::array<std::uint8_t, 4 * D + 16> rest{};
    for (std::size_t i = direct; i < 16; ++i) {
        put(rest.data() + 2 * D * (i - direct), packed<D>(number(i)));
    }
    __builtin_memcpy(out.data() + 2 * D * direct, rest.data(), 2 * D * (16 - direct));
    ct::wipe(rest);
}

// Which bytes of sixteen have number i of D bits, for a 32-bit element each; and where in them.
template <std::size_t D>
struct Unpacking {
    alignas(32) std::array<std::uint8_t, 32> bytes{};
    alignas(32) std::array<std::uint32_t, 8> shifts{};

    consteval Unpacking() {
        for (std::size_t i = 0; i < 8; ++i) {
            for (std::size_t j = 0; j < 4; ++j) {
                bytes[4 * i + j] = static_cast<std::uint8_t>(i * D / 8 + j);
            }
            shifts[i] = i * D % 8;
        }
    }
};

template <std::size_t D>
constexpr Unpacking<D> unpacking;

// Eight numbers of D bits in the elements of 32 bits.
template <std::size_t D>
Vector unpacked(const std::uint8_t* from) {
    const Vector bytes = _mm256_broadcastsi128_si256(load_16(from));
    const Vector spread = _mm256_shuffle_epi8(
        bytes, _mm256_load_si256(reinterpret_cast<const Vector*>(unpacking<D>.bytes.data())));
    const Vector shifted = _mm256_srlv_epi32(
        spread, _mm256_load_si256(reinterpret_cast<const Vector*>(unpacking<D>.shifts.data())));
    return _mm256_and_si256(shifted, _mm256_set1_epi32((1 << D) - 1));
}

// 24 bytes, twelve in each half, as elements of 32 bits with three bytes each.
Vector spread_24(const std::uint8_t* from, Vector order) {
    const Vector bytes =
        _mm256_inserti128_si256(_mm256_castsi128_si256(load_16(from)), load_16(from + 8), 1);
    return _mm256_shuffle_epi8(bytes, order);
}

// Sixteen numbers of 12 bits.
Vector numbers(const std::uint8_t* from) {
    const Vector order = _mm256_setr_epi8(0, 1, 1, 2, 3, 4, 4, 5, 6, 7, 7, 8, 9, 10, 10, 11, 4, 5,
                                          5, 6, 7, 8, 8, 9, 10, 11, 11, 12, 13, 14, 14, 15);
    const Vector x = spread_24(from, order);
    return _mm256_and_si256(_mm256_blend_epi16(x, _mm256_srli_epi16(x, 4), 0xaa), all(0xfff));
}

Vector canonical(Vector x) {
    return _mm256_add_epi16(x, _mm256_and_si256(_mm256_srai_epi16(x, 15), all(q)));
}

// round(2^D x / q) mod 2^D for |x| < 2200. The rounded product with 2^(D + 15) / q is off by one
// at most, and the remainder tells: it must be within q / 2.
template <std::size_t D>
Vector compressed(Vector x) {
    constexpr std::int32_t factor = ((1 << (D + 15)) + q / 2) / q;
    const Vector estimate = _mm256_mulhrs_epi16(x, all(factor));
    const Vector remainder =
        _mm256_sub_epi16(_mm256_slli_epi16(x, D), _mm256_mullo_epi16(estimate, all(q)));
    const Vector above = _mm256_cmpgt_epi16(remainder, all(q / 2));
    const Vector below = _mm256_cmpgt_epi16(all(-q / 2), remainder);
    const Vector exact = _mm256_add_epi16(_mm256_sub_epi16(estimate, above), below);
    return _mm256_and_si256(exact, all((1 << D) - 1));
}

}  // namespace

void Avx2Math::encode(std::span<std::uint8_t, 384> out, const Poly& f) {
    pack<12>(out, [&](std::size_t i) { return canonical(load(f.c.data() + 16 * i)); });
}

void Avx2Math::decode(Poly& f, std::span<const std::uint8_t, 384> bytes) {
    for (std::size_t i = 0; i < 16; ++i) store(f.c.data() + 16 * i, numbers(bytes.data() + 24 * i));
}

bool Avx2Math::is_canonical(std::span<const std::uint8_t, 384> bytes) {
    Vector wrong = _mm256_setzero_si256();
    for (std::size_t i = 0; i < 16; ++i) {
        const Vector above = _mm256_cmpgt_epi16(numbers(bytes.data() + 24 * i), all(q - 1));
        wrong = _mm256_or_si256(wrong, above);
    }
    return _mm256_testz_si256(wrong, wrong) != 0;
}

template <std::size_t D>
void Avx2Math::compress(std::span<std::uint8_t, 32 * D> out, const Poly& f) {
    pack<D>(out, [&](std::size_t i) { return compressed<D>(load(f.c.data() + 16 * i)); });
}

template <>
void Avx2Math::compress<1>(std::span<std::uint8_t, 32> out, const Poly& f) {
    for (std::size_t i = 0; i < 8; ++i) {
        const Vector a = compressed<1>(load(f.c.data() + 32 * i));
        const Vector b = compressed<1>(load(f.c.data() + 32 * i + 16));
        const Vector bytes = _mm256_permute4x64_epi64(_mm256_packs_epi16(a, b), 0xd8);
        const auto bits =
            static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_slli_epi16(bytes, 7)));
        for (std::size_t j = 0; j < 4; ++j) {
            out[4 * i + j] = static_cast<std::uint8_t>(bits >> (8 * j));
        }
    }
}

template <std::size_t D>
void Avx2Math::decompress(Poly& f, std::span<const std::uint8_t, 32 * D> bytes) {
    Slack<D> copy{};
    __builtin_memcpy(copy.data(), bytes.data(), 32 * D);
    const Vector half = _mm256_set1_epi32(1 << (D - 1));
    for (std::size_t i = 0; i < 16; ++i) {
        const auto eight = [&](const std::uint8_t* from) {
            const Vector product = _mm256_madd_epi16(unpacked<D>(from), _mm256_set1_epi32(q));
            return _mm256_srli_epi32(_mm256_add_epi32(product, half), D);
        };
        const Vector both =
            _mm256_packus_epi32(eight(copy.data() + 2 * D * i), eight(copy.data() + 2 * D * i + D));
        store(f.c.data() + 16 * i, _mm256_permute4x64_epi64(both, 0xd8));
    }
}

template <>
void Avx2Math::decompress<1>(Poly& f, std::span<const std::uint8_t, 32> bytes) {
    const Vector bit = _mm256_setr_epi16(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096,
                                         8192, 16384, static_cast<std::int16_t>(0x8000));
    for (std::size_t i = 0; i < 16; ++i) {
        const Vector bits = all(bytes[2 * i] | bytes[2 * i + 1] << 8);
        const Vector set = _mm256_cmpeq_epi16(_mm256_and_si256(bits, bit), bit);
        store(f.c.data() + 16 * i, _mm256_and_si256(set, all((q + 1) / 2)));
    }
}

// FIPS 203, algorithm 8: in each nibble the sum of two bits, minus that of two more.
template <>
void Avx2Math::sample_cbd<2>(Poly& f, std::span<const std::uint8_t, 128> bytes) {
    const Vector ones = _mm256_set1_epi8(0x55);
    const Vector threes = _mm256_set1_epi8(0x33);
    const Vector nibble = _mm256_set1_epi8(0x0f);
    const Vector three = _mm256_set1_epi8(3);
    for (std::size_t i = 0; i < 4; ++i) {
        const Vector bits =
            _mm256_loadu_si256(reinterpret_cast<const Vector*>(bytes.data() + 32 * i));
        const Vector sums = _mm256_add_epi8(_mm256_and_si256(bits, ones),
                                            _mm256_and_si256(_mm256_srli_epi16(bits, 1), ones));
        const Vector plus_three =
            _mm256_sub_epi8(_mm256_add_epi8(_mm256_and_si256(sums, threes), threes),
                            _mm256_and_si256(_mm256_srli_epi16(sums, 2), threes));
        const Vector even = _mm256_sub_epi8(_mm256_and_si256(plus_three, nibble), three);
        const Vector odd =
            _mm256_sub_epi8(_mm256_and_si256(_mm256_srli_epi16(plus_three, 4), nibble), three);
        const Vector low = _mm256_unpacklo_epi8(even, odd);   // 0 to 15, 32 to 47
        const Vector high = _mm256_unpackhi_epi8(even, odd);  // 16 to 31, 48 to 63
        std::int16_t* const to = f.c.data() + 64 * i;
        store(to, _mm256_cvtepi8_epi16(_mm256_castsi256_si128(low)));
        store(to + 16, _mm256_cvtepi8_epi16(_mm256_castsi256_si128(high)));
        store(to + 32, _mm256_cvtepi8_epi16(_mm256_extracti128_si256(low, 1)));
        store(to + 48, _mm256_cvtepi8_epi16(_mm256_extracti128_si256(high, 1)));
    }
}

// The same in fields of three bits: 24 bits give four coefficients.
template <>
void Avx2Math::sample_cbd<3>(Poly& f, std::span<const std::uint8_t, 192> bytes) {
    const Vector order = _mm256_setr_epi8(0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1, 4,
                                          5, 6, -1, 7, 8, 9, -1, 10, 11, 12, -1, 13, 14, 15, -1);
    const Vector ones = _mm256_set1_epi32(0x249249);
    const Vector sevens = _mm256_set1_epi32(0x1c71c7);
    const Vector threes = _mm256_set1_epi32(0x0c30c3);
    const Vector low_field = _mm256_set1_epi32(0x3f);
    const Vector high_field = _mm256_set1_epi32(0x3f0000);
    for (std::size_t i = 0; i < 8; ++i) {
        const Vector bits = spread_24(bytes.data() + 24 * i, order);
        const Vector sums =
            _mm256_add_epi32(_mm256_and_si256(bits, ones),
                             _mm256_add_epi32(_mm256_and_si256(_mm256_srli_epi32(bits, 1), ones),
                                              _mm256_and_si256(_mm256_srli_epi32(bits, 2), ones)));
        const Vector plus_three =
            _mm256_sub_epi32(_mm256_add_epi32(_mm256_and_si256(sums, sevens), threes),
                             _mm256_and_si256(_mm256_srli_epi32(sums, 3), sevens));
        const Vector first =
            _mm256_or_si256(_mm256_and_si256(plus_three, low_field),
                            _mm256_and_si256(_mm256_slli_epi32(plus_three, 10), high_field));
        const Vector second =
            _mm256_or_si256(_mm256_and_si256(_mm256_srli_epi32(plus_three, 12), low_field),
                            _mm256_and_si256(_mm256_srli_epi32(plus_three, 2), high_field));
        const Vector low = _mm256_sub_epi16(_mm256_unpacklo_epi32(first, second), all(3));
        const Vector high = _mm256_sub_epi16(_mm256_unpackhi_epi32(first, second), all(3));
        store(f.c.data() + 32 * i, _mm256_permute2x128_si256(low, high, 0x20));
        store(f.c.data() + 32 * i + 16, _mm256_permute2x128_si256(low, high, 0x31));
    }
}

template void Avx2Math::compress<4>(std::span<std::uint8_t, 128>, const Poly&);
template void Avx2Math::compress<5>(std::span<std::uint8_t, 160>, const Poly&);
template void Avx2Math::compress<10>(std::span<std::uint8_t, 320>, const Poly&);
template void Avx2Math::compress<11>(std::span<std::uint8_t, 352>, const Poly&);
template void Avx2Math::decompress<4>(Poly&, std::span<const std::uint8_t, 128>);
template void Avx2Math::decompress<5>(Poly&, std::span<const std::uint8_t, 160>);
template void Avx2Math::decompress<10>(Poly&, std::span<const std::uint8_t, 320>);
template void Avx2Math::decompress<11>(Poly&, std::span<const std::uint8_t, 352>);

}  // namespace quoin::core::ml_kem

#include "core/crypto/target_pop.hpp"
