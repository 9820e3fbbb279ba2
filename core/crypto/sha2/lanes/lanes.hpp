// SHA-256's compression function on several blocks at once. Source: FIPS 180-4, section 6.2.2.
//
//   backend  | ways | stack
//   Portable |    1 | < 300 bytes
//   ShaNi    |    4 | < 400 bytes
//   Avx2     |    8 | < 1.5 KiB
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

// results[i] = start, compressed with blocks[i].
template <class Backend>
void compress_lanes(const State256& start, const std::array<Block, lane_count<Backend>>& blocks,
                    std::array<State256, lane_count<Backend>>& results);

}  // namespace quoin::core::sha2
