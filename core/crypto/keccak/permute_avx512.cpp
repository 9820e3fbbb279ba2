// Four states of Keccak-f[1600] with the rotations and the three-way logic of AVX-512VL, and 32
// registers: nothing leaves them. One state is Avx2's.
#include <utility>

#include "core/crypto/keccak/sponge_body.hpp"
#include "core/crypto/target_avx512.hpp"
// The rounds belong into the region.
#include "core/crypto/keccak/rounds.hpp"

namespace quoin::core::keccak {
namespace {

struct FourWide {
    __m256i bits;

    static FourWide of_constant(std::size_t round) {
        return {_mm256_set1_epi64x(static_cast<long long>(round_constants[round]))};
    }
};

// Truth tables of _mm256_ternarylogic_epi64.
constexpr int xor_of_three = 0x96;
constexpr int a_xor_not_b_and_c = 0xd2;

FourWide operator^(FourWide a, FourWide b) { return {_mm256_xor_si256(a.bits, b.bits)}; }

FourWide xor_five(FourWide a, FourWide b, FourWide c, FourWide d, FourWide e) {
    const __m256i three = _mm256_ternarylogic_epi64(a.bits, b.bits, c.bits, xor_of_three);
    return {_mm256_ternarylogic_epi64(three, d.bits, e.bits, xor_of_three)};
}

FourWide chi(FourWide a, FourWide b, FourWide c) {
    return {_mm256_ternarylogic_epi64(a.bits, b.bits, c.bits, a_xor_not_b_and_c)};
}

template <unsigned Count>
FourWide rotate_left(FourWide a) {
    return {_mm256_rol_epi64(a.bits, Count)};
}

using Wide = Rounds<Avx512, FourWide>;

}  // namespace

void permute(FourStates<Avx512>& states) {
    auto* const lanes = reinterpret_cast<__m256i*>(states.lanes.data());
    constexpr auto all = std::make_index_sequence<25>();
    Wide::Lanes a = [&]<std::size_t... I>(std::index_sequence<I...>) {
        return Wide::Lanes{FourWide{_mm256_load_si256(lanes + I)}...};
    }(all);
    Wide::Lanes e;
    for (std::size_t i = 0; i < 24; i += 2) {
        Wide::round(a, e, i);
        Wide::round(e, a, i + 1);
    }
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        (_mm256_store_si256(lanes + I, a[I].bits), ...);
    }(all);
}

}  // namespace quoin::core::keccak

#include "core/crypto/target_pop.hpp"

namespace quoin::core::keccak {

template class FourSponges<Avx512>;

}  // namespace quoin::core::keccak
