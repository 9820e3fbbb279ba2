// Keccak-f[1600] of four states with AVX-512 on 256-bit registers: half the instructions of AVX2,
// and the 25 lanes stay in registers.
#include "core/crypto/keccak/sponge_body.hpp"
#include "core/crypto/target_avx512.hpp"
// The rounds belong into the region.
#include "core/crypto/keccak/rounds.hpp"

namespace quoin::core::keccak {
namespace {

struct Four {
    __m256i bits;

    static Four of_constant(std::size_t round) {
        return {_mm256_set1_epi64x(static_cast<long long>(round_constants[round]))};
    }
};

Four operator^(Four a, Four b) { return {_mm256_xor_si256(a.bits, b.bits)}; }

Four xor_three(Four a, Four b, Four c) {
    return {_mm256_ternarylogic_epi64(a.bits, b.bits, c.bits, 0x96)};
}

Four xor_five(Four a, Four b, Four c, Four d, Four e) {
    return xor_three(xor_three(a, b, c), d, e);
}

// a ^ (~b & c), as a table of eight bits.
Four chi(Four a, Four b, Four c) {
    return {_mm256_ternarylogic_epi64(a.bits, b.bits, c.bits, 0xd2)};
}

template <unsigned Count>
Four rotate_left(Four a) {
    return {_mm256_rol_epi64(a.bits, Count)};
}

}  // namespace

void permute(FourStates<Avx512>& states) {
    auto* const lanes = reinterpret_cast<__m256i*>(states.lanes.data());
    Rounds<Avx512, Four>::permute(
        [&](std::size_t i) { return Four{_mm256_load_si256(lanes + i)}; },
        [&](std::size_t i, Four a) { _mm256_store_si256(lanes + i, a.bits); });
}

}  // namespace quoin::core::keccak

#include "core/crypto/target_pop.hpp"

namespace quoin::core::keccak {

template class FourSponges<Avx512>;

}  // namespace quoin::core::keccak
