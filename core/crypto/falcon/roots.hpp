// The complex roots of X^1024 + 1 as bits of binary64, made by make_tables.py. For fft.hpp.
#pragma once

#include <cstdint>

namespace quoin::core::falcon {

// [m + b], of the layer with m blocks: the root that block b is split by. [0] is unused.
extern const std::uint64_t roots_real[512];
extern const std::uint64_t roots_imaginary[512];

}  // namespace quoin::core::falcon
