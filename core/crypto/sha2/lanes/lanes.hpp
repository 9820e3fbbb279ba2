// SHA-256 along chains of one block a step, several chains at once. Source: FIPS 180-4, 6.2.2.
//
//   backend  | ways | stack
//   Portable |    1 | < 450 bytes
//   ShaNi    |    4 | < 300 bytes
//   Avx2     |    8 | < 2.75 KiB
//
// Nothing fails. Constant time in state and blocks. Threads: free functions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/crypto/sha2/sha2.hpp"

namespace quoin::core::sha2 {

// One block of a padded message.
struct alignas(16) Block {
    std::array<std::uint8_t, 64> bytes{};
};
using State256 = std::array<std::uint32_t, 8>;

template <class Backend>
inline constexpr std::size_t lane_count = 1;
template <>
inline constexpr std::size_t lane_count<ShaNi> = 4;
template <>
inline constexpr std::size_t lane_count<Avx2> = 8;

// For ct::wipe_stack() once step_lanes() has seen secrets: words of the message schedules stay in
// its frames. The sizes are those of clang 19, which needs more than g++ 14, with the 128 bytes
// below them that x86-64 lends to leaf functions; Portable on 32 bits: of g++ for the Cortex-M4.
template <class Backend>
inline constexpr std::size_t step_lanes_stack = sizeof(void*) == 8 ? 544 : 336;
template <>
inline constexpr std::size_t step_lanes_stack<ShaNi> = 288;
template <>
inline constexpr std::size_t step_lanes_stack<Avx2> = 3680;

// A step: the first `size` (16, 24 or 32) bytes of the digest of every block, begun at `start`,
// replace those at `offset` in it, and the byte before them counts up. `steps` of them.
template <class Backend>
void step_lanes(const State256& start, std::array<Block, lane_count<Backend>>& blocks,
                std::size_t offset, std::size_t size, unsigned steps);

}  // namespace quoin::core::sha2
