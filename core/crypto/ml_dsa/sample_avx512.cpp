// A, eight polynomials at a time: eight SHAKE128, and their streams sixteen candidates at a time.
// All of it is public.
#include "core/crypto/keccak/eight.hpp"
#include "core/crypto/ml_dsa/avx2.hpp"
#include "core/crypto/target_avx512.hpp"

namespace quoin::core::ml_dsa {
namespace {

using Wide = __m512i;

constexpr std::size_t rate = 168;
constexpr std::size_t lanes_of_a_block = rate / 8;
// 280 candidates, of which each is refused with probability 2^-10: nearly always enough.
constexpr std::size_t blocks_at_once = 5;

// Stores of whole registers reach 24 bytes beyond a block, loads 16 beyond the last candidates.
struct Streams {
    alignas(64) std::uint8_t bytes[8][blocks_at_once * rate + 56];
};

Wide load_wide(const void* from) { return _mm512_loadu_si512(from); }

// Element i of register j becomes element j of register i, 64 bits each; then to the streams.
void store_transposed(Streams& streams, std::size_t at, const std::array<std::uint64_t, 8>* lanes) {
    const Wide a0 = _mm512_unpacklo_epi64(load_wide(lanes), load_wide(lanes + 1));
    const Wide a1 = _mm512_unpackhi_epi64(load_wide(lanes), load_wide(lanes + 1));
    const Wide a2 = _mm512_unpacklo_epi64(load_wide(lanes + 2), load_wide(lanes + 3));
    const Wide a3 = _mm512_unpackhi_epi64(load_wide(lanes + 2), load_wide(lanes + 3));
    const Wide a4 = _mm512_unpacklo_epi64(load_wide(lanes + 4), load_wide(lanes + 5));
    const Wide a5 = _mm512_unpackhi_epi64(load_wide(lanes + 4), load_wide(lanes + 5));
    const Wide a6 = _mm512_unpacklo_epi64(load_wide(lanes + 6), load_wide(lanes + 7));
    const Wide a7 = _mm512_unpackhi_epi64(load_wide(lanes + 6), load_wide(lanes + 7));
    // Quarters 0 and 2, and 1 and 3, of the even and of the odd ways.
    const Wide b0 = _mm512_shuffle_i64x2(a0, a2, 0x88);
    const Wide b1 = _mm512_shuffle_i64x2(a1, a3, 0x88);
    const Wide b2 = _mm512_shuffle_i64x2(a0, a2, 0xdd);
    const Wide b3 = _mm512_shuffle_i64x2(a1, a3, 0xdd);
    const Wide b4 = _mm512_shuffle_i64x2(a4, a6, 0x88);
    const Wide b5 = _mm512_shuffle_i64x2(a5, a7, 0x88);
    const Wide b6 = _mm512_shuffle_i64x2(a4, a6, 0xdd);
    const Wide b7 = _mm512_shuffle_i64x2(a5, a7, 0xdd);
    _mm512_storeu_si512(streams.bytes[0] + at, _mm512_shuffle_i64x2(b0, b4, 0x88));
    _mm512_storeu_si512(streams.bytes[1] + at, _mm512_shuffle_i64x2(b1, b5, 0x88));
    _mm512_storeu_si512(streams.bytes[2] + at, _mm512_shuffle_i64x2(b2, b6, 0x88));
    _mm512_storeu_si512(streams.bytes[3] + at, _mm512_shuffle_i64x2(b3, b7, 0x88));
    _mm512_storeu_si512(streams.bytes[4] + at, _mm512_shuffle_i64x2(b0, b4, 0xdd));
    _mm512_storeu_si512(streams.bytes[5] + at, _mm512_shuffle_i64x2(b1, b5, 0xdd));
    _mm512_storeu_si512(streams.bytes[6] + at, _mm512_shuffle_i64x2(b2, b6, 0xdd));
    _mm512_storeu_si512(streams.bytes[7] + at, _mm512_shuffle_i64x2(b3, b7, 0xdd));
}

void squeeze(Streams& streams, std::size_t block, keccak::EightStates& states) {
    keccak::permute(states);
    // The last three of 24 lanes are not output: the next block overwrites them.
    for (std::size_t lane = 0; lane < lanes_of_a_block; lane += 8) {
        store_transposed(streams, block * rate + 8 * lane, states.lanes.data() + lane);
    }
}

// FIPS 204, Algorithm 14, for `size` bytes; `count` of 256 are there already.
std::size_t take_uniform(std::int32_t* out, std::size_t count, const std::uint8_t* in,
                         std::size_t size) {
    // Twelve bytes, four candidates, to each quarter.
    const Wide quarters = _mm512_setr_epi32(0, 1, 2, 2, 3, 4, 5, 5, 6, 7, 8, 8, 9, 10, 11, 11);
    const Wide order =
        _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1));
    const Wide bits = _mm512_set1_epi32(0x7fffff);
    const Wide modulus = _mm512_set1_epi32(q);
    for (std::size_t at = 0; at < size && count < n; at += 48) {
        const Wide bytes = _mm512_permutexvar_epi32(quarters, load_wide(in + at));
        const Wide values = _mm512_and_si512(_mm512_shuffle_epi8(bytes, order), bits);
        // The last load may reach beyond the stream.
        const std::size_t candidates = size - at < 48 ? (size - at) / 3 : 16;
        const unsigned present = (1U << candidates) - 1;
        const unsigned accepted = _mm512_cmplt_epi32_mask(values, modulus) & present;
        const std::size_t room = n - count;
        const unsigned fits = room < 16 ? (1U << room) - 1 : 0xffffU;
        const Wide together = _mm512_maskz_compress_epi32(static_cast<__mmask16>(accepted), values);
        _mm512_mask_storeu_epi32(out + count, static_cast<__mmask16>(fits), together);
        const auto found = static_cast<std::size_t>(__builtin_popcount(accepted));
        count += found < room ? found : room;
    }
    return count;
}

// FIPS 204, Algorithm 32: the seeds rho || s || r of SHAKE128, padded.
template <class Set>
void absorb(keccak::EightStates& states, PublicSeed rho, std::size_t first) {
    auto& lanes = states.lanes;
    for (std::size_t lane = 0; lane < 4; ++lane) {
        std::uint64_t word = 0;
        for (std::size_t i = 8; i > 0; --i) word = (word << 8U) | rho[8 * lane + i - 1];
        lanes[lane].fill(word);
    }
    for (std::size_t way = 0; way < 8; ++way) {
        const std::uint64_t column = (first + way) % Set::l;
        const std::uint64_t row = (first + way) / Set::l;
        lanes[4][way] = column | row << 8U | std::uint64_t{0x1f} << 16U;
    }
    lanes[lanes_of_a_block - 1].fill(std::uint64_t{0x80} << 56U);
}

template <class Set>
void eight_uniform(Poly* const* out, PublicSeed rho, std::size_t first) {
    keccak::EightStates states;
    absorb<Set>(states, rho, first);
    Streams streams{};
    for (std::size_t block = 0; block < blocks_at_once; ++block) squeeze(streams, block, states);
    std::size_t counts[8] = {};
    std::size_t full = 0;
    for (std::size_t way = 0; way < 8; ++way) {
        counts[way] = take_uniform(out[way]->c, 0, streams.bytes[way], blocks_at_once * rate);
        full += counts[way] == n ? 1 : 0;
    }
    while (full < 8) {
        squeeze(streams, 0, states);
        full = 0;
        for (std::size_t way = 0; way < 8; ++way) {
            counts[way] = take_uniform(out[way]->c, counts[way], streams.bytes[way], rate);
            full += counts[way] == n ? 1 : 0;
        }
    }
    for (std::size_t way = 0; way < 8; ++way) Ring<Avx2>::to_own_order(*out[way]);
}

}  // namespace

template <class Set>
void many_uniform_by_eight(Poly* out, PublicSeed rho, std::size_t first, std::size_t count) {
    Poly unused{};
    for (std::size_t i = 0; i < count; i += 8) {
        Poly* eight[8];
        for (std::size_t way = 0; way < 8; ++way) {
            eight[way] = i + way < count ? out + i + way : &unused;
        }
        eight_uniform<Set>(eight, rho, first + i);
    }
}

template void many_uniform_by_eight<Set44>(Poly*, PublicSeed, std::size_t, std::size_t);
template void many_uniform_by_eight<Set65>(Poly*, PublicSeed, std::size_t, std::size_t);
template void many_uniform_by_eight<Set87>(Poly*, PublicSeed, std::size_t, std::size_t);

}  // namespace quoin::core::ml_dsa

#include "core/crypto/target_pop.hpp"
