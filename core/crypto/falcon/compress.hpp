// Compress: specification, Algorithm 17. For falcon/ only.
#pragma once

#include "core/crypto/falcon/coding.hpp"

namespace quoin::core::falcon {

// How many bytes s2 takes; zeros follow. 0 if they are more than there are, or a coefficient is
// larger than decompress() takes. s2 is public here.
template <class Set>
std::size_t compress(const Poly<Set>& s2, MutableBytes bytes) {
    std::uint64_t window = 0;  // the last `held` bits are to be written
    unsigned held = 0;
    std::size_t used = 0;
    for (const std::int32_t c : s2.c) {
        const auto magnitude = static_cast<std::uint32_t>(c < 0 ? -c : c);
        if (magnitude > largest_coefficient) return 0;
        const std::uint32_t low = magnitude & ((1U << low_bits) - 1);
        window = window << (1 + low_bits) | (c < 0 ? 1U << low_bits : 0U) | low;
        const unsigned high = magnitude >> low_bits;
        window = window << (high + 1) | 1U;
        held += 1 + low_bits + high + 1;
        for (; held >= 8; held -= 8) {
            if (used == bytes.size()) return 0;
            bytes[used++] = static_cast<std::uint8_t>(window >> (held - 8));
        }
    }
    if (held > 0) {
        if (used == bytes.size()) return 0;
        bytes[used++] = static_cast<std::uint8_t>(window << (8 - held));
    }
    for (std::size_t i = used; i < bytes.size(); ++i) bytes[i] = 0;
    return used;
}

}  // namespace quoin::core::falcon
