// Coefficients as bit strings (FIPS 204, section 7.1), little-endian. For ml_dsa/ only.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/crypto/ml_dsa/set.hpp"

namespace quoin::core::ml_dsa {

// FIPS 204, Algorithms 16 and 17: 256 times value(i), `bits` each, into 32 bits bytes. What the
// algorithms subtract (BitPack's b - w_i) is in `value`.
template <unsigned bits, class Value>
inline void pack(std::uint8_t* out, Value value) {
    static_assert(bits <= 24);
    std::uint32_t held = 0;
    unsigned held_bits = 0;
    for (std::size_t i = 0; i < n; ++i) {
        held |= static_cast<std::uint32_t>(value(i)) << held_bits;
        held_bits += bits;
        for (; held_bits >= 8; held_bits -= 8) {
            *out++ = static_cast<std::uint8_t>(held);
            held >>= 8U;
        }
    }
}

// FIPS 204, Algorithms 18 and 19: use(i, value) for each of `count` values of `bits` bits.
template <unsigned bits, class Use>
inline void unpack(const std::uint8_t* in, Use use, std::size_t first = 0, std::size_t count = n) {
    static_assert(bits <= 24);
    std::uint32_t held = 0;
    unsigned held_bits = 0;
    for (std::size_t i = first; i < first + count; ++i) {
        for (; held_bits < bits; held_bits += 8) held |= std::uint32_t{*in++} << held_bits;
        use(i, static_cast<std::int32_t>(held & ((std::uint32_t{1} << bits) - 1)));
        held >>= bits;
        held_bits -= bits;
    }
}

}  // namespace quoin::core::ml_dsa
