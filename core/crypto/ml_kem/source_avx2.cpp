#include "core/crypto/ml_kem/source_avx2.hpp"

#include <bit>

#include "core/crypto/keccak/lane.hpp"
#include "core/crypto/target_avx2.hpp"

namespace quoin::core::ml_kem {
namespace {

template <class Backend>
using States = keccak::FourStates<Backend>;

constexpr std::size_t shake128_lanes = 21;
constexpr std::size_t sha3_256_lanes = 17;  // and SHAKE256's
constexpr std::size_t first_blocks = 3;     // enough for 99 of 100 polynomials
constexpr std::uint64_t final_bit = std::uint64_t{1} << 63U;

using keccak::load_lane;

template <class Backend>
__m256i* lane(States<Backend>& states, std::size_t i) {
    return reinterpret_cast<__m256i*>(states.lanes[i].data());
}

__m256i elements(std::uint64_t a, std::uint64_t b, std::uint64_t c, std::uint64_t d) {
    return _mm256_setr_epi64x(static_cast<long long>(a), static_cast<long long>(b),
                              static_cast<long long>(c), static_cast<long long>(d));
}

// Bytes of a stream as they leave the sponge: three blocks of SHAKE128, and what lanes() writes
// past the end.
using Stream = std::array<std::uint8_t, 8 * (first_blocks * shake128_lanes + 3)>;

void store_32(std::uint8_t* to, __m256i x) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), x);
}

// The first `count` lanes of each state (at most 24), transposed four by four; up to 24 bytes more
// are written.
template <class Backend>
void lanes(const States<Backend>& states, std::size_t count,
           const std::array<std::uint8_t*, 4>& out) {
    const auto* const from = reinterpret_cast<const __m256i*>(states.lanes.data());
    for (std::size_t i = 0; i < count; i += 4) {
        const __m256i a = _mm256_load_si256(from + i);
        const __m256i b = _mm256_load_si256(from + i + 1);
        const __m256i c = _mm256_load_si256(from + i + 2);
        const __m256i d = _mm256_load_si256(from + i + 3);
        const __m256i ab_even = _mm256_unpacklo_epi64(a, b);
        const __m256i ab_odd = _mm256_unpackhi_epi64(a, b);
        const __m256i cd_even = _mm256_unpacklo_epi64(c, d);
        const __m256i cd_odd = _mm256_unpackhi_epi64(c, d);
        store_32(out[0] + 8 * i, _mm256_permute2x128_si256(ab_even, cd_even, 0x20));
        store_32(out[1] + 8 * i, _mm256_permute2x128_si256(ab_odd, cd_odd, 0x20));
        store_32(out[2] + 8 * i, _mm256_permute2x128_si256(ab_even, cd_even, 0x31));
        store_32(out[3] + 8 * i, _mm256_permute2x128_si256(ab_odd, cd_odd, 0x31));
    }
}

// For each mask of eight bits, the byte shuffle that moves the chosen 16-bit elements to the front.
struct Choices {
    alignas(16) std::array<std::array<std::uint8_t, 16>, 256> shuffle{};

    consteval Choices() {
        for (std::size_t mask = 0; mask < 256; ++mask) {
            std::size_t next = 0;
            for (std::size_t i = 0; i < 8; ++i) {
                if ((mask >> i & 1U) == 0) continue;
                shuffle[mask][next++] = static_cast<std::uint8_t>(2 * i);
                shuffle[mask][next++] = static_cast<std::uint8_t>(2 * i + 1);
            }
        }
    }
};

constexpr Choices choices;

// FIPS 203, algorithm 7, lines 5-14: appends the numbers below q of `size` bytes, a multiple of 24,
// until there are 256; up to 15 more are written. Variable time: the matrix is public.
std::size_t take_below_q(std::int16_t* to, std::size_t found, const std::uint8_t* from,
                         std::size_t size) {
    const __m256i order = _mm256_setr_epi8(0, 1, 1, 2, 3, 4, 4, 5, 6, 7, 7, 8, 9, 10, 10, 11, 4, 5,
                                           5, 6, 7, 8, 8, 9, 10, 11, 11, 12, 13, 14, 14, 15);
    for (std::size_t at = 0; at < size && found < 256; at += 24) {
        const __m256i bytes = _mm256_inserti128_si256(
            _mm256_castsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from + at))),
            _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + at + 8)), 1);
        const __m256i x = _mm256_shuffle_epi8(bytes, order);
        const __m256i numbers = _mm256_and_si256(
            _mm256_blend_epi16(x, _mm256_srli_epi16(x, 4), 0xaa), _mm256_set1_epi16(0xfff));
        const __m256i below = _mm256_cmpgt_epi16(_mm256_set1_epi16(q), numbers);
        const auto mask = static_cast<std::uint32_t>(
            _mm256_movemask_epi8(_mm256_packs_epi16(below, _mm256_setzero_si256())));
        const auto append = [&](__m128i eight, std::uint32_t chosen) {
            const auto* const shuffle =
                reinterpret_cast<const __m128i*>(choices.shuffle[chosen].data());
            _mm_storeu_si128(reinterpret_cast<__m128i*>(to + found),
                             _mm_shuffle_epi8(eight, _mm_load_si128(shuffle)));
            found += static_cast<std::size_t>(std::popcount(chosen));
        };
        append(_mm256_castsi256_si128(numbers), mask & 0xffU);
        append(_mm256_extracti128_si256(numbers, 1), mask >> 16U);
    }
    return found < 256 ? found : 256;
}

// One step of one polynomial without writing past its end.
std::size_t take_exactly(Poly& out, std::size_t found, const std::uint8_t* from, std::size_t size) {
    alignas(32) std::array<std::int16_t, 256 + 16> copy{};
    const std::size_t end = take_below_q(copy.data(), found, from, size);
    for (std::size_t i = found; i < end; ++i) out.c[i] = copy[i];
    return end;
}

// The hash in the fourth lane: a block is absorbed before each permutation, as long as there are
// any. All its lengths are multiples of a lane.
class Passenger {
public:
    explicit Passenger(const Rider& rider) : rider_(rider) {
        const std::size_t size = rider.first.size() + rider.second.size();
        blocks_ = rider.output.empty() ? 0 : size / (8 * sha3_256_lanes) + 1;
    }

    bool waits() const { return done_ < blocks_; }

    template <class Backend>
    void before_permutation(States<Backend>& states) {
        if (!waits()) return;
        const std::size_t at = done_ * sha3_256_lanes;
        if (const std::uint8_t* const whole = block_within(at); whole != nullptr) {
            for (std::size_t i = 0; i < sha3_256_lanes - 1; i += 4) {
                const __m256i four =
                    _mm256_loadu_si256(reinterpret_cast<const __m256i*>(whole + 8 * i));
                absorb(states, i, _mm256_permute4x64_epi64(four, 0x00));
                absorb(states, i + 1, _mm256_permute4x64_epi64(four, 0x55));
                absorb(states, i + 2, _mm256_permute4x64_epi64(four, 0xaa));
                absorb(states, i + 3, four);
            }
            absorb(states, sha3_256_lanes - 1,
                   elements(0, 0, 0, load_lane(whole + 8 * (sha3_256_lanes - 1))));
        } else {
            for (std::size_t i = 0; i < sha3_256_lanes; ++i) {
                absorb(states, i, elements(0, 0, 0, message_lane(at + i)));
            }
        }
        if (done_ + 1 == blocks_) absorb(states, sha3_256_lanes - 1, elements(0, 0, 0, final_bit));
    }
    template <class Backend>
    void after_permutation(const States<Backend>& states) {
        if (!waits() || ++done_ < blocks_) return;
        for (std::size_t i = 0; i < 32; ++i) {
            rider_.output[i] = static_cast<std::uint8_t>(states.lanes[i / 8][3] >> (8 * (i % 8)));
        }
        ct::wipe_stack<keccak::permutation_stack<States<Backend>>>();
    }

private:
    // Whole registers: single lanes would be stored in parts and then wait to be loaded as a whole.
    template <class Backend>
    static void absorb(States<Backend>& states, std::size_t i, __m256i x) {
        const __m256i last = _mm256_blend_epi32(_mm256_setzero_si256(), x, 0xc0);
        _mm256_store_si256(lane(states, i),
                           _mm256_xor_si256(_mm256_load_si256(lane(states, i)), last));
    }
    // The block from lane `at` on, if one of the two views holds all of it.
    const std::uint8_t* block_within(std::size_t at) const {
        const std::size_t split = rider_.first.size() / 8;
        const std::size_t end = split + rider_.second.size() / 8;
        if (at + sha3_256_lanes <= split) return rider_.first.data() + 8 * at;
        if (at < split || at + sha3_256_lanes > end) return nullptr;
        return rider_.second.data() + 8 * (at - split);
    }
    std::uint64_t message_lane(std::size_t i) const {
        const std::size_t split = rider_.first.size() / 8;
        const std::size_t end = split + rider_.second.size() / 8;
        if (i < split) return load_lane(rider_.first.data() + 8 * i);
        if (i < end) return load_lane(rider_.second.data() + 8 * (i - split));
        return i == end ? static_cast<std::uint64_t>(rider_.hash) : 0;
    }

    const Rider& rider_;
    std::size_t blocks_;
    std::size_t done_ = 0;
};

template <class Backend>
void tick(States<Backend>& states, Passenger& passenger) {
    passenger.before_permutation(states);
    permute(states);
    passenger.after_permutation(states);
}

// Starts SHAKE128(rho || position) in three or four states; a fourth of the passenger's stays.
template <class Backend>
void start_streams(States<Backend>& states, const std::array<std::uint64_t, 4>& rho,
                   const std::array<std::uint64_t, 4>& positions, bool keep_fourth) {
    const __m256i kept = elements(0, 0, 0, keep_fourth ? ~std::uint64_t{0} : 0);
    const auto set = [&](std::size_t i, __m256i fresh) {
        const __m256i old = _mm256_load_si256(lane(states, i));
        _mm256_store_si256(lane(states, i), _mm256_blendv_epi8(fresh, old, kept));
    };
    for (std::size_t i = 0; i < 25; ++i) set(i, _mm256_setzero_si256());
    for (std::size_t i = 0; i < 4; ++i) set(i, elements(rho[i], rho[i], rho[i], rho[i]));
    const auto start = [&](std::size_t way) { return positions[way] | std::uint64_t{0x1f} << 16U; };
    set(4, elements(start(0), start(1), start(2), start(3)));
    set(shake128_lanes - 1, elements(final_bit, final_bit, final_bit, final_bit));
}

template <class Backend>
void sample_group(Poly* out, States<Backend>& states, Passenger& passenger, std::size_t count) {
    std::array<Stream, 4> streams{};
    for (std::size_t block = 0; block < first_blocks; ++block) {
        tick(states, passenger);
        const std::size_t at = 8 * shake128_lanes * block;
        lanes(states, shake128_lanes,
              {streams[0].data() + at, streams[1].data() + at, streams[2].data() + at,
               streams[3].data() + at});
    }
    constexpr std::size_t size = 8 * shake128_lanes;
    std::array<std::size_t, 4> found{256, 256, 256, 256};
    for (std::size_t way = 0; way < count; ++way) {
        found[way] = take_below_q(out[way].c.data(), 0, streams[way].data(), first_blocks * size);
    }
    while (found[0] < 256 || found[1] < 256 || found[2] < 256 || found[3] < 256) {
        tick(states, passenger);
        lanes(states, shake128_lanes,
              {streams[0].data(), streams[1].data(), streams[2].data(), streams[3].data()});
        for (std::size_t way = 0; way < count; ++way) {
            if (found[way] < 256) {
                found[way] = take_exactly(out[way], found[way], streams[way].data(), size);
            }
        }
    }
    ct::wipe_object(streams);  // the fourth may be the passenger's
}

}  // namespace

template <class Backend>
void sample_matrix(std::span<Poly> matrix, std::span<const std::uint8_t, 32> rho,
                   std::span<const std::uint16_t> positions, const Rider& rider) {
    std::array<std::uint64_t, 4> seed{};
    for (std::size_t i = 0; i < 4; ++i) seed[i] = load_lane(rho.data() + 8 * i);
    States<Backend> states;
    Passenger passenger(rider);
    for (std::size_t done = 0; done < positions.size();) {
        const std::size_t left = positions.size() - done;
        const std::size_t ways = passenger.waits() ? 3 : 4;
        const std::size_t count = left < ways ? left : ways;
        std::array<std::uint64_t, 4> group{};
        for (std::size_t way = 0; way < count; ++way) group[way] = positions[done + way];
        start_streams(states, seed, group, ways == 3);
        sample_group(&matrix[done], states, passenger, count);
        done += count;
    }
    while (passenger.waits()) tick(states, passenger);
    ct::wipe_object(states);
}

template <class Backend>
void fill_noise(NoiseBytes& out, std::span<const std::uint8_t, 32> seed, std::size_t count,
                std::size_t long_count) {
    States<Backend> states;
    for (std::size_t n = 0; n < count; n += 4) {
        for (std::size_t i = 0; i < 25; ++i) {
            _mm256_store_si256(lane(states, i), _mm256_setzero_si256());
        }
        for (std::size_t i = 0; i < 4; ++i) {
            const std::uint64_t part = load_lane(seed.data() + 8 * i);
            _mm256_store_si256(lane(states, i), elements(part, part, part, part));
        }
        const std::uint64_t start = n | 0x1f00U;  // n is a multiple of four
        _mm256_store_si256(lane(states, 4), elements(start, start + 1, start + 2, start + 3));
        _mm256_store_si256(lane(states, sha3_256_lanes - 1),
                           elements(final_bit, final_bit, final_bit, final_bit));
        permute(states);
        const auto to = [&](std::size_t at) {
            return std::array<std::uint8_t*, 4>{&out.of[n][at], &out.of[n + 1][at],
                                                &out.of[n + 2][at], &out.of[n + 3][at]};
        };
        lanes(states, sha3_256_lanes, to(0));
        if (n < long_count) {
            permute(states);
            lanes(states, 8, to(8 * sha3_256_lanes));
        }
    }
    ct::wipe_object(states);
}

template void sample_matrix<Avx2>(std::span<Poly>, std::span<const std::uint8_t, 32>,
                                  std::span<const std::uint16_t>, const Rider&);
template void sample_matrix<Avx512>(std::span<Poly>, std::span<const std::uint8_t, 32>,
                                    std::span<const std::uint16_t>, const Rider&);
template void fill_noise<Avx2>(NoiseBytes&, std::span<const std::uint8_t, 32>, std::size_t,
                               std::size_t);
template void fill_noise<Avx512>(NoiseBytes&, std::span<const std::uint8_t, 32>, std::size_t,
                                 std::size_t);

}  // namespace quoin::core::ml_kem

#include "core/crypto/target_pop.hpp"
