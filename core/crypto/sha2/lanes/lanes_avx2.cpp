// Eight blocks at once: word t of the eight messages, and each of the eight variables, is a vector.
#include <utility>

#include "core/crypto/sha2/lanes/lanes.hpp"
#include "core/crypto/target_avx2.hpp"

namespace quoin::core::sha2 {
namespace {

template <int Bits>
inline __m256i rotate_right(__m256i x) {
    return _mm256_or_si256(_mm256_srli_epi32(x, Bits), _mm256_slli_epi32(x, 32 - Bits));
}

inline __m256i add(__m256i a, __m256i b) { return _mm256_add_epi32(a, b); }
inline __m256i exclusive_or(__m256i a, __m256i b, __m256i c) {
    return _mm256_xor_si256(_mm256_xor_si256(a, b), c);
}

// FIPS 180-4, 4.1.2.
inline __m256i sum_0(__m256i x) {
    return exclusive_or(rotate_right<2>(x), rotate_right<13>(x), rotate_right<22>(x));
}
inline __m256i sum_1(__m256i x) {
    return exclusive_or(rotate_right<6>(x), rotate_right<11>(x), rotate_right<25>(x));
}
inline __m256i sigma_0(__m256i x) {
    return exclusive_or(rotate_right<7>(x), rotate_right<18>(x), _mm256_srli_epi32(x, 3));
}
inline __m256i sigma_1(__m256i x) {
    return exclusive_or(rotate_right<17>(x), rotate_right<19>(x), _mm256_srli_epi32(x, 10));
}

// Rows of eight 32-bit words become columns.
inline void transpose(__m256i (&row)[8]) {
    __m256i pair[8];
    for (int i = 0; i < 4; ++i) {
        pair[2 * i] = _mm256_unpacklo_epi32(row[2 * i], row[2 * i + 1]);
        pair[2 * i + 1] = _mm256_unpackhi_epi32(row[2 * i], row[2 * i + 1]);
    }
    __m256i quad[8];
    for (int i = 0; i < 2; ++i) {
        quad[4 * i] = _mm256_unpacklo_epi64(pair[4 * i], pair[4 * i + 2]);
        quad[4 * i + 1] = _mm256_unpackhi_epi64(pair[4 * i], pair[4 * i + 2]);
        quad[4 * i + 2] = _mm256_unpacklo_epi64(pair[4 * i + 1], pair[4 * i + 3]);
        quad[4 * i + 3] = _mm256_unpackhi_epi64(pair[4 * i + 1], pair[4 * i + 3]);
    }
    for (int i = 0; i < 4; ++i) {
        row[i] = _mm256_permute2x128_si256(quad[i], quad[i + 4], 0x20);
        row[i + 4] = _mm256_permute2x128_si256(quad[i], quad[i + 4], 0x31);
    }
}

inline __m256i big_endian() {
    return _mm256_setr_epi8(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12,  //
                            3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
}

inline void load_words(__m256i (&words)[8], const std::array<Block, 8>& blocks, std::size_t half) {
    for (std::size_t i = 0; i < 8; ++i) {
        const auto* const bytes = reinterpret_cast<const __m256i*>(&blocks[i].bytes[32 * half]);
        words[i] = _mm256_shuffle_epi8(_mm256_loadu_si256(bytes), big_endian());
    }
    transpose(words);
}

// The variables are named anew in each round instead of moved: a is v[-t], b is v[1 - t], ...
template <std::size_t T>
inline void one_round(__m256i (&v)[8], __m256i (&w)[16]) {
    constexpr auto at = [](std::size_t i) { return (i + 64 - T) % 8; };
    if constexpr (T >= 16) {  // FIPS 180-4, 6.2.2 step 1
        w[T % 16] = add(add(w[T % 16], sigma_0(w[(T + 1) % 16])),
                        add(w[(T + 9) % 16], sigma_1(w[(T + 14) % 16])));
    }
    const __m256i a = v[at(0)], b = v[at(1)], c = v[at(2)];
    const __m256i e = v[at(4)], f = v[at(5)], g = v[at(6)];
    const __m256i choice = _mm256_xor_si256(g, _mm256_and_si256(e, _mm256_xor_si256(f, g)));
    const __m256i majority =
        _mm256_or_si256(_mm256_and_si256(a, b), _mm256_and_si256(c, _mm256_or_si256(a, b)));
    const __m256i k = _mm256_set1_epi32(static_cast<int>(k_256[T]));
    const __m256i t1 = add(add(v[at(7)], sum_1(e)), add(choice, add(k, w[T % 16])));
    v[at(3)] = add(v[at(3)], t1);
    v[at(7)] = add(t1, add(sum_0(a), majority));
}

template <std::size_t... T>
inline void all_rounds(__m256i (&v)[8], __m256i (&w)[16], std::index_sequence<T...>) {
    (one_round<T>(v, w), ...);
}

// The digests, big-endian, into the blocks.
inline void store(std::array<Block, 8>& blocks, std::size_t offset, std::size_t size,
                  __m256i (&v)[8]) {
    transpose(v);
    for (std::size_t i = 0; i < 8; ++i) {
        const __m256i digest = _mm256_shuffle_epi8(v[i], big_endian());
        const __m128i high = _mm256_extracti128_si256(digest, 1);
        auto* const to = reinterpret_cast<__m128i*>(blocks[i].bytes.data() + offset);
        _mm_storeu_si128(to, _mm256_castsi256_si128(digest));
        if (size == 32) _mm_storeu_si128(to + 1, high);
        if (size == 24) _mm_storel_epi64(to + 1, high);
        ++blocks[i].bytes[offset - 1];
    }
}

inline void one_step(const State256& start, std::array<Block, 8>& blocks, __m256i (&v)[8]) {
    __m256i w[16];
    for (std::size_t half = 0; half < 2; ++half) {
        __m256i words[8];
        load_words(words, blocks, half);
        for (std::size_t i = 0; i < 8; ++i) w[8 * half + i] = words[i];
    }
    for (std::size_t i = 0; i < 8; ++i) v[i] = _mm256_set1_epi32(static_cast<int>(start[i]));
    all_rounds(v, w, std::make_index_sequence<64>());
    for (std::size_t i = 0; i < 8; ++i) {
        v[i] = add(v[i], _mm256_set1_epi32(static_cast<int>(start[i])));
    }
}

}  // namespace

template <>
void step_lanes<Avx2>(const State256& start, std::array<Block, 8>& blocks, std::size_t offset,
                      std::size_t size, unsigned steps) {
    for (unsigned step = 0; step < steps; ++step) {
        __m256i v[8];
        one_step(start, blocks, v);
        store(blocks, offset, size, v);
    }
}

}  // namespace quoin::core::sha2

#include "core/crypto/target_pop.hpp"
