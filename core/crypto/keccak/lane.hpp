// Lanes as bytes: little-endian, by shifts, which compilers turn into one access where they may.
#pragma once

#include <cstddef>
#include <cstdint>

namespace quoin::core::keccak {

// `size` bytes (1..8), little-endian, as the bits of a lane from byte `offset` on.
inline std::uint64_t load_part(const std::uint8_t* bytes, std::size_t size, std::size_t offset) {
    std::uint64_t lane = 0;
    for (std::size_t i = 0; i < size; ++i) lane |= std::uint64_t{bytes[i]} << (8 * (offset + i));
    return lane;
}

inline void store_part(std::uint64_t lane, std::uint8_t* bytes, std::size_t size,
                       std::size_t offset) {
    for (std::size_t i = 0; i < size; ++i) {
        bytes[i] = static_cast<std::uint8_t>(lane >> (8 * (offset + i)));
    }
}

// Written out, not as loops: only so does g++ make one load and one store of them.
inline std::uint64_t load_lane(const std::uint8_t* bytes) {
    return std::uint64_t{bytes[0]} | std::uint64_t{bytes[1]} << 8U |
           std::uint64_t{bytes[2]} << 16U | std::uint64_t{bytes[3]} << 24U |
           std::uint64_t{bytes[4]} << 32U | std::uint64_t{bytes[5]} << 40U |
           std::uint64_t{bytes[6]} << 48U | std::uint64_t{bytes[7]} << 56U;
}

inline void store_lane(std::uint64_t lane, std::uint8_t* bytes) {
    bytes[0] = static_cast<std::uint8_t>(lane);
    bytes[1] = static_cast<std::uint8_t>(lane >> 8U);
    bytes[2] = static_cast<std::uint8_t>(lane >> 16U);
    bytes[3] = static_cast<std::uint8_t>(lane >> 24U);
    bytes[4] = static_cast<std::uint8_t>(lane >> 32U);
    bytes[5] = static_cast<std::uint8_t>(lane >> 40U);
    bytes[6] = static_cast<std::uint8_t>(lane >> 48U);
    bytes[7] = static_cast<std::uint8_t>(lane >> 56U);
}

}  // namespace quoin::core::keccak
