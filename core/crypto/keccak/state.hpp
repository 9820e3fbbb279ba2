// The 1600 bits of Keccak as each backend keeps them. For the sponges only; callers use keccak.hpp.
//
// Lane i is A[x, y] of FIPS 202, section 3.1.2, with i = x + 5 y; a lane's bytes are little-endian.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "core/crypto/backend.hpp"

namespace quoin::core::keccak {

// Portable for machines with 32-bit registers: Portable means this there. Named only by tests.
struct Interleaved {};

template <class Backend>
using Form =
    std::conditional_t<std::is_same_v<Backend, Portable> && sizeof(std::size_t) == 4, Interleaved,
                       std::conditional_t<std::is_same_v<Backend, Avx512>, Avx2, Backend>>;

// One state, 64-bit lanes.
template <class Backend>
struct State {
    std::array<std::uint64_t, 25> lanes{};

    void xor_lane(std::size_t i, std::uint64_t value) { lanes[i] ^= value; }
    std::uint64_t lane(std::size_t i) const { return lanes[i]; }
};

// The even bits of a lane in the low half of the result, the odd bits in the high one; and back.
std::uint64_t interleave(std::uint64_t lane);
std::uint64_t deinterleave(std::uint64_t halves);

// The even bits of lane i in halves[2 i], the odd ones in halves[2 i + 1]: a rotation of a lane is
// then two rotations of halves.
template <>
struct State<Interleaved> {
    std::array<std::uint32_t, 50> halves{};

    void xor_lane(std::size_t i, std::uint64_t value) {
        const std::uint64_t both = interleave(value);
        halves[2 * i] ^= static_cast<std::uint32_t>(both);
        halves[2 * i + 1] ^= static_cast<std::uint32_t>(both >> 32U);
    }
    std::uint64_t lane(std::size_t i) const {
        return deinterleave(halves[2 * i] | (std::uint64_t{halves[2 * i + 1]} << 32U));
    }
};

// Keccak-f[1600]: FIPS 202, section 3.3, b = 1600, 24 rounds.
void permute(State<Portable>& state);
void permute(State<Interleaved>& state);
void permute(State<Avx2>& state);

// Four states: lane i of state `way` in lanes[i][way].
template <class Backend>
struct FourStates {
    alignas(32) std::array<std::array<std::uint64_t, 4>, 25> lanes{};
};

void permute(FourStates<Avx2>& states);
void permute(FourStates<Avx512>& states);

// For ct::wipe_stack(): what a permutation spills before it ends is output. The sizes are those of
// the frames, with the 128 bytes below them that x86-64 lends to leaf functions; the wipe tests
// would see one that is too small.
template <class States>
inline constexpr std::size_t permutation_stack = 288;
template <>
inline constexpr std::size_t permutation_stack<State<Interleaved>> = 296;
template <>
inline constexpr std::size_t permutation_stack<FourStates<Avx2>> = 816;
template <>
inline constexpr std::size_t permutation_stack<FourStates<Avx512>> = 240;

}  // namespace quoin::core::keccak
