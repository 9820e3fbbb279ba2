// Four blocks by the SHA extensions of x86-64, as two pairs. sha256rnds2 waits for the one before
// it: a pair of independent chains of them fills the time. And while the results of one pair are on
// their way through memory into its next blocks, the processor is busy with the other pair.
// See sha256_sha_ni.cpp for what the instructions do.
#include <utility>

#include "core/crypto/sha2/lanes/lanes.hpp"
#include "core/crypto/target_sha_ni.hpp"

namespace quoin::core::sha2 {
namespace {

struct Lane {
    __m128i abef, cdgh;
    __m128i message[4];  // message[i % 4] holds words 4 i to 4 i + 3
};

template <std::size_t Group>
inline void four_rounds(Lane& s, __m128i k) {
    const __m128i kw = _mm_add_epi32(s.message[Group % 4], k);
    s.cdgh = _mm_sha256rnds2_epu32(s.cdgh, s.abef, kw);
    s.abef = _mm_sha256rnds2_epu32(s.abef, s.cdgh, _mm_shuffle_epi32(kw, 0x0e));
    if constexpr (Group < 12) {  // the words of group + 4, FIPS 180-4, 6.2.2 step 1
        const __m128i last = s.message[(Group + 3) % 4];
        const __m128i seven_back = _mm_alignr_epi8(last, s.message[(Group + 2) % 4], 4);
        const __m128i sigma_0 =
            _mm_sha256msg1_epu32(s.message[Group % 4], s.message[(Group + 1) % 4]);
        s.message[Group % 4] = _mm_sha256msg2_epu32(_mm_add_epi32(sigma_0, seven_back), last);
    }
}

template <std::size_t... Groups>
inline void all_rounds(Lane& one, Lane& two, std::index_sequence<Groups...>) {
    const auto both = [&]<std::size_t Group>() {
        const __m128i k = _mm_loadu_si128(reinterpret_cast<const __m128i*>(&k_256[4 * Group]));
        four_rounds<Group>(one, k);
        four_rounds<Group>(two, k);
    };
    (both.template operator()<Groups>(), ...);
}

inline void load_message(Lane& lane, const Block& block) {
    const __m128i big_endian = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
    for (std::size_t i = 0; i < 4; ++i) {
        const auto* const words = reinterpret_cast<const __m128i*>(&block.bytes[16 * i]);
        lane.message[i] = _mm_shuffle_epi8(_mm_load_si128(words), big_endian);
    }
}

// The digest, big-endian, into the block.
inline void store(Block& block, std::size_t offset, std::size_t size, __m128i abef, __m128i cdgh) {
    const __m128i big_endian = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
    const __m128i feba = _mm_shuffle_epi32(abef, 0x1b);
    const __m128i dchg = _mm_shuffle_epi32(cdgh, 0xb1);
    const __m128i abcd = _mm_shuffle_epi8(_mm_blend_epi16(feba, dchg, 0xf0), big_endian);
    const __m128i efgh = _mm_shuffle_epi8(_mm_alignr_epi8(dchg, feba, 8), big_endian);
    auto* const to = reinterpret_cast<__m128i*>(block.bytes.data() + offset);
    _mm_storeu_si128(to, abcd);
    if (size == 32) _mm_storeu_si128(to + 1, efgh);
    if (size == 24) _mm_storel_epi64(to + 1, efgh);
    ++block.bytes[offset - 1];
}

}  // namespace

template <>
void step_lanes<ShaNi>(const State256& start, std::array<Block, 4>& blocks, std::size_t offset,
                       std::size_t size, unsigned steps) {
    const auto* const halves = reinterpret_cast<const __m128i*>(start.data());
    const __m128i cdab = _mm_shuffle_epi32(_mm_loadu_si128(halves), 0xb1);
    const __m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128(halves + 1), 0x1b);
    const __m128i abef = _mm_alignr_epi8(cdab, efgh, 8);
    const __m128i cdgh = _mm_blend_epi16(efgh, cdab, 0xf0);
    for (unsigned step = 0; step < steps; ++step) {
        for (std::size_t i = 0; i < 4; i += 2) {
            Lane one{abef, cdgh, {}};
            Lane two{abef, cdgh, {}};
            load_message(one, blocks[i]);
            load_message(two, blocks[i + 1]);
            all_rounds(one, two, std::make_index_sequence<16>());
            store(blocks[i], offset, size, _mm_add_epi32(one.abef, abef),
                  _mm_add_epi32(one.cdgh, cdgh));
            store(blocks[i + 1], offset, size, _mm_add_epi32(two.abef, abef),
                  _mm_add_epi32(two.cdgh, cdgh));
        }
    }
}

}  // namespace quoin::core::sha2

#include "core/crypto/target_pop.hpp"
