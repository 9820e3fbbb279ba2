// Eight coefficients in a register: bit strings and compaction. Included inside the target region
// of the .cpp of the Avx2 backend; everything stands in an unnamed namespace for that.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

// NOLINTBEGIN(cert-dcl59-cpp, misc-definitions-in-headers): each .cpp compiles its own, for AVX2
namespace quoin::core::ml_dsa {
namespace {

using Vector = __m256i;

[[maybe_unused]] Vector load(const std::int32_t* from) {
    return _mm256_load_si256(reinterpret_cast<const Vector*>(from));
}
[[maybe_unused]] void store(std::int32_t* to, Vector value) {
    _mm256_store_si256(reinterpret_cast<Vector*>(to), value);
}
[[maybe_unused]] void store_unaligned(std::int32_t* to, Vector value) {
    _mm256_storeu_si256(reinterpret_cast<Vector*>(to), value);
}
[[maybe_unused]] unsigned sign_mask(Vector lanes) {
    return static_cast<unsigned>(_mm256_movemask_ps(_mm256_castsi256_ps(lanes)));
}

// For a mask of eight lanes: the numbers of its ones in ascending order, a byte each.
consteval std::array<std::uint64_t, 256> make_compaction() {
    std::array<std::uint64_t, 256> table{};
    for (unsigned mask = 0; mask < 256; ++mask) {
        unsigned count = 0;
        for (unsigned lane = 0; lane < 8; ++lane) {
            if (((mask >> lane) & 1U) != 0) table[mask] |= std::uint64_t{lane} << (8 * count++);
        }
    }
    return table;
}
alignas(64) constexpr std::array<std::uint64_t, 256> compaction = make_compaction();

// The lanes of the mask, moved together to the front.
[[maybe_unused]] Vector compact(Vector lanes, unsigned mask) {
    const __m128i order = _mm_cvtsi64_si128(static_cast<long long>(compaction.data()[mask]));
    return _mm256_permutevar8x32_epi32(lanes, _mm256_cvtepu8_epi32(order));
}

// Which bytes of 16 at `bits` k / 8 the four values of each half begin at, and their shifts.
template <unsigned bits>
struct Positions {
    alignas(32) std::int8_t bytes[32];
    alignas(32) std::int32_t shifts[8];
};
template <unsigned bits>
consteval Positions<bits> make_positions() {
    Positions<bits> positions{};
    for (unsigned k = 0; k < 8; ++k) {
        const unsigned half_begins = k < 4 ? 0 : 4 * bits / 8;
        const unsigned byte = k * bits / 8 - half_begins;
        for (unsigned i = 0; i < 4; ++i) {
            // A value of at most 20 bits never spans a fourth byte.
            positions.bytes[4 * k + i] = static_cast<std::int8_t>(i < 3 ? byte + i : 0x80);
        }
        positions.shifts[k] = static_cast<std::int32_t>(k * bits % 8);
    }
    return positions;
}
template <unsigned bits>
inline constexpr Positions<bits> positions_of = make_positions<bits>();

// Eight values of `bits` (3 to 20) bits. Reads up to 16 bytes beyond them.
template <unsigned bits>
Vector unpack_eight(const std::uint8_t* in) {
    static_assert(bits <= 20 && (7 + bits <= 24 || bits % 2 == 0));
    const Vector both = _mm256_inserti128_si256(
        _mm256_castsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(in))),
        _mm_loadu_si128(reinterpret_cast<const __m128i*>(in + 4 * bits / 8)), 1);
    const Vector order =
        _mm256_load_si256(reinterpret_cast<const Vector*>(positions_of<bits>.bytes));
    const Vector values =
        _mm256_srlv_epi32(_mm256_shuffle_epi8(both, order), load(positions_of<bits>.shifts));
    return _mm256_and_si256(values, _mm256_set1_epi32((1 << bits) - 1));
}

// The bits [at, at + size) of `words` become `value`; they are zero before.
template <unsigned at, unsigned size>
[[gnu::always_inline]] inline void put_bits(std::array<std::uint64_t, 3>& words,
                                            std::uint64_t value) {
    words.data()[at / 64] |= value << (at % 64);
    if constexpr (at % 64 + size > 64) words.data()[at / 64 + 1] |= value >> (64 - at % 64);
}

inline void store_word(std::uint8_t* out, std::uint64_t word) {
    for (unsigned i = 0; i < 8; ++i) out[i] = static_cast<std::uint8_t>(word >> (8 * i));
}

// Eight values of `bits` (3 to 20) bits into `bits` bytes; writes up to 7 bytes beyond them.
template <unsigned bits>
void pack_eight(std::uint8_t* out, Vector values) {
    const Vector even = _mm256_and_si256(values, _mm256_set1_epi64x((1 << bits) - 1));
    const Vector odds = _mm256_slli_epi64(_mm256_srli_epi64(values, 32), bits);
    const Vector pairs = _mm256_or_si256(even, odds);
    const __m128i low = _mm256_castsi256_si128(pairs);
    const __m128i high = _mm256_extracti128_si256(pairs, 1);
    std::array<std::uint64_t, 3> words{};
    put_bits<0, 2 * bits>(words, static_cast<std::uint64_t>(_mm_cvtsi128_si64(low)));
    put_bits<2 * bits, 2 * bits>(words, static_cast<std::uint64_t>(_mm_extract_epi64(low, 1)));
    put_bits<4 * bits, 2 * bits>(words, static_cast<std::uint64_t>(_mm_cvtsi128_si64(high)));
    put_bits<6 * bits, 2 * bits>(words, static_cast<std::uint64_t>(_mm_extract_epi64(high, 1)));
    store_word(out, words[0]);
    if constexpr (bits > 8) store_word(out + 8, words[1]);
    if constexpr (bits > 16) store_word(out + 16, words[2]);
}

}  // namespace
}  // namespace quoin::core::ml_dsa
// NOLINTEND(cert-dcl59-cpp, misc-definitions-in-headers)
