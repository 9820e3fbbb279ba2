// Keccak-f[1600] of eight states with AVX-512 on 512-bit registers.
#include "core/crypto/keccak/eight.hpp"
#include "core/crypto/target_avx512.hpp"
// The rounds belong into the region.
#include "core/crypto/keccak/rounds.hpp"

namespace quoin::core::keccak {
namespace {

struct Eight {
    __m512i bits;

    static Eight of_constant(std::size_t round) {
        return {_mm512_set1_epi64(static_cast<long long>(round_constants[round]))};
    }
};

Eight operator^(Eight a, Eight b) { return {_mm512_xor_si512(a.bits, b.bits)}; }

Eight xor_three(Eight a, Eight b, Eight c) {
    return {_mm512_ternarylogic_epi64(a.bits, b.bits, c.bits, 0x96)};
}

Eight xor_five(Eight a, Eight b, Eight c, Eight d, Eight e) {
    return xor_three(xor_three(a, b, c), d, e);
}

// a ^ (~b & c), as a table of eight bits.
Eight chi(Eight a, Eight b, Eight c) {
    return {_mm512_ternarylogic_epi64(a.bits, b.bits, c.bits, 0xd2)};
}

template <unsigned Count>
Eight rotate_left(Eight a) {
    return {_mm512_rol_epi64(a.bits, Count)};
}

}  // namespace

void permute(EightStates& states) {
    auto* const lanes = reinterpret_cast<__m512i*>(states.lanes.data());
    Rounds<Avx512, Eight>::permute(
        [&](std::size_t i) { return Eight{_mm512_load_si512(lanes + i)}; },
        [&](std::size_t i, Eight a) { _mm512_store_si512(lanes + i, a.bits); });
}

}  // namespace quoin::core::keccak

#include "core/crypto/target_pop.hpp"
