// Multiples of Ed25519's base point B, 7,680 bytes of constants, as little-endian words of
// y + x, y - x and 2 d x y.
#pragma once

#include <array>
#include <cstdint>

namespace quoin::core::curve25519 {

struct PackedPoint {
    std::array<std::uint32_t, 24> words;
};

// For secret scalars: [8 * j + i] = (i + 1) * 16^(8 j) * B.
extern const std::array<PackedPoint, 64> comb_table;
// For public scalars: [i] = (2 i + 1) * B.
extern const std::array<PackedPoint, 8> odd_table;

}  // namespace quoin::core::curve25519
