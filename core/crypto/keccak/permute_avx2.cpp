// Keccak-f[1600] for AVX2: four states in the 64-bit elements of 256-bit registers, and one state
// in general registers with the and-not and the rotations of BMI1 and BMI2.
#include <bit>

#include "core/crypto/keccak/sponge_body.hpp"
#include "core/crypto/target_avx2.hpp"
// The rounds belong into the region.
#include "core/crypto/keccak/rounds.hpp"

namespace quoin::core::keccak {
namespace {

struct Lane {
    std::uint64_t bits;

    static Lane of_constant(std::size_t round) { return {round_constants[round]}; }
};

Lane operator^(Lane a, Lane b) { return {a.bits ^ b.bits}; }

Lane xor_five(Lane a, Lane b, Lane c, Lane d, Lane e) { return a ^ b ^ c ^ d ^ e; }

Lane chi(Lane a, Lane b, Lane c) { return {a.bits ^ (~b.bits & c.bits)}; }

template <unsigned Count>
Lane rotate_left(Lane a) {
    return {std::rotl(a.bits, static_cast<int>(Count))};
}

struct Four {
    __m256i bits;

    static Four of_constant(std::size_t round) {
        return {_mm256_set1_epi64x(static_cast<long long>(round_constants[round]))};
    }
};

Four operator^(Four a, Four b) { return {_mm256_xor_si256(a.bits, b.bits)}; }

Four xor_five(Four a, Four b, Four c, Four d, Four e) { return (a ^ b) ^ (c ^ d) ^ e; }

Four chi(Four a, Four b, Four c) {
    return {_mm256_xor_si256(a.bits, _mm256_andnot_si256(b.bits, c.bits))};
}

template <unsigned Count>
Four rotate_left(Four a) {
    if constexpr (Count == 8) {
        return {_mm256_shuffle_epi8(
            a.bits, _mm256_setr_epi8(7, 0, 1, 2, 3, 4, 5, 6, 15, 8, 9, 10, 11, 12, 13, 14, 7, 0, 1,
                                     2, 3, 4, 5, 6, 15, 8, 9, 10, 11, 12, 13, 14))};
    } else if constexpr (Count == 56) {
        return {_mm256_shuffle_epi8(
            a.bits, _mm256_setr_epi8(1, 2, 3, 4, 5, 6, 7, 0, 9, 10, 11, 12, 13, 14, 15, 8, 1, 2, 3,
                                     4, 5, 6, 7, 0, 9, 10, 11, 12, 13, 14, 15, 8))};
    } else {
        return {_mm256_or_si256(_mm256_slli_epi64(a.bits, Count),
                                _mm256_srli_epi64(a.bits, 64 - Count))};
    }
}

}  // namespace

void permute(State<Avx2>& state) {
    Rounds<Avx2, Lane>::permute([&](std::size_t i) { return Lane{state.lanes[i]}; },
                                [&](std::size_t i, Lane a) { state.lanes[i] = a.bits; });
}

void permute(FourStates<Avx2>& states) {
    auto* const lanes = reinterpret_cast<__m256i*>(states.lanes.data());
    Rounds<Avx2, Four>::permute(
        [&](std::size_t i) { return Four{_mm256_load_si256(lanes + i)}; },
        [&](std::size_t i, Four a) { _mm256_store_si256(lanes + i, a.bits); });
}

}  // namespace quoin::core::keccak

#include "core/crypto/target_pop.hpp"

namespace quoin::core::keccak {

template class Sponge<Avx2>;
template class FourSponges<Avx2>;

}  // namespace quoin::core::keccak
