// SHA-256 by the SHA extensions of x86-64: sha256rnds2 makes two rounds on (a b e f) and (c d g h)
// (Intel's manual names the words from the highest), sha256msg1 and sha256msg2 extend the message.
#include <cstdint>
#include <utility>

#include "core/crypto/sha2/hash.hpp"
#include "core/crypto/target_sha_ni.hpp"

namespace quoin::core::sha2 {
namespace {

struct Pair {
    __m128i abef, cdgh;
};

// Rounds 4 * Group to 4 * Group + 3. message[i % 4] holds the words of group i.
template <std::size_t Group>
inline void four_rounds(Pair& s, __m128i (&message)[4]) {
    const __m128i k = _mm_loadu_si128(reinterpret_cast<const __m128i*>(&k_256[4 * Group]));
    const __m128i kw = _mm_add_epi32(message[Group % 4], k);
    s.cdgh = _mm_sha256rnds2_epu32(s.cdgh, s.abef, kw);
    s.abef = _mm_sha256rnds2_epu32(s.abef, s.cdgh, _mm_shuffle_epi32(kw, 0x0e));
    if constexpr (Group < 12) {  // the words of group + 4, FIPS 180-4, 6.2.2 step 1
        const __m128i last = message[(Group + 3) % 4];
        const __m128i seven_back = _mm_alignr_epi8(last, message[(Group + 2) % 4], 4);
        const __m128i sigma_0 = _mm_sha256msg1_epu32(message[Group % 4], message[(Group + 1) % 4]);
        message[Group % 4] = _mm_sha256msg2_epu32(_mm_add_epi32(sigma_0, seven_back), last);
    }
}

template <std::size_t... Groups>
inline void all_rounds(Pair& s, __m128i (&message)[4], std::index_sequence<Groups...>) {
    (four_rounds<Groups>(s, message), ...);
}

}  // namespace

template <>
void compress<ShaNi>(std::array<std::uint32_t, 8>& state, Bytes blocks) {
    const __m128i big_endian = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
    auto* const halves = reinterpret_cast<__m128i*>(state.data());
    const __m128i cdab = _mm_shuffle_epi32(_mm_loadu_si128(halves), 0xb1);
    const __m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128(halves + 1), 0x1b);
    Pair s{_mm_alignr_epi8(cdab, efgh, 8), _mm_blend_epi16(efgh, cdab, 0xf0)};
    const std::uint8_t* next = blocks.data();
    for (std::size_t left = blocks.size() / 64; left != 0; --left, next += 64) {
        const Pair before = s;
        __m128i message[4];
        for (std::size_t i = 0; i < 4; ++i) {
            const auto* const words = reinterpret_cast<const __m128i*>(next + 16 * i);
            message[i] = _mm_shuffle_epi8(_mm_loadu_si128(words), big_endian);
        }
        all_rounds(s, message, std::make_index_sequence<16>());
        s.abef = _mm_add_epi32(s.abef, before.abef);
        s.cdgh = _mm_add_epi32(s.cdgh, before.cdgh);
    }
    const __m128i feba = _mm_shuffle_epi32(s.abef, 0x1b);
    const __m128i dchg = _mm_shuffle_epi32(s.cdgh, 0xb1);
    _mm_storeu_si128(halves, _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128(halves + 1, _mm_alignr_epi8(dchg, feba, 8));
}

}  // namespace quoin::core::sha2

#include "core/crypto/target_pop.hpp"

namespace quoin::core::sha2 {

template class Hash<Set256, ShaNi>;

}  // namespace quoin::core::sha2
