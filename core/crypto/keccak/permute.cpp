// Keccak-f[1600] on 64-bit lanes in plain C++.
#include <bit>

#include "core/crypto/keccak/rounds.hpp"
#include "core/crypto/keccak/sponge_body.hpp"

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

}  // namespace

void permute(State<Portable>& state) {
    Rounds<Portable, Lane>::permute([&](std::size_t i) { return Lane{state.lanes[i]}; },
                                    [&](std::size_t i, Lane a) { state.lanes[i] = a.bits; });
}

template class Sponge<Portable>;

}  // namespace quoin::core::keccak
