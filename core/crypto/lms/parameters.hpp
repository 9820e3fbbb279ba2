// Parameter sets of LMS and HSS. Source: RFC 8554, sections 4.1, 5.1 and 6; NIST SP 800-208,
// section 4; RFC 9858.
//
// A family (hash and output size) is a type; heights and Winternitz widths are values. All levels
// of a key are of one family (SP 800-208, section 4).
//
//                 bytes of one LMS signature, n = 32 (n = 24), without HSS's 4
//   height \ w          1             2             4             8
//        5        8684 (4956)   4460 (2580)   2348 (1380)   1292  (780)
//       10        8844 (5076)   4620 (2700)   2508 (1500)   1452  (900)
//       15        9004 (5196)   4780 (2820)   2668 (1620)   1612 (1020)
//       20        9164 (5316)   4940 (2940)   2828 (1740)   1772 (1140)
//       25        9324 (5436)   5100 (3060)   2988 (1860)   1932 (1260)
//   HSS public key: 60 bytes (52). HSS signature: 4, and for each level but the last its LMS
//   signature and the next level's 56-byte (48) LMS public key, and the last level's LMS signature.
//
// Threads: plain values.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"

namespace quoin::core::lms {

// SHA-256, the whole digest.
struct Sha256M32 {
    static constexpr std::size_t n = 32;
    static constexpr std::uint32_t lms_h5 = 0x05;  // the type codes follow each other
    static constexpr std::uint32_t ots_w1 = 0x01;
    static constexpr bool is_shake = false;
};
// SHA-256 cut to 192 bits.
struct Sha256M24 {
    static constexpr std::size_t n = 24;
    static constexpr std::uint32_t lms_h5 = 0x0a;
    static constexpr std::uint32_t ots_w1 = 0x05;
    static constexpr bool is_shake = false;
};
struct ShakeM32 {
    static constexpr std::size_t n = 32;
    static constexpr std::uint32_t lms_h5 = 0x0f;
    static constexpr std::uint32_t ots_w1 = 0x09;
    static constexpr bool is_shake = true;
};
struct ShakeM24 {
    static constexpr std::size_t n = 24;
    static constexpr std::uint32_t lms_h5 = 0x14;
    static constexpr std::uint32_t ots_w1 = 0x0d;
    static constexpr bool is_shake = true;
};

inline constexpr std::size_t identifier_size = 16;  // I
inline constexpr std::size_t max_levels = 8;
inline constexpr std::size_t max_node_size = 32;
inline constexpr unsigned max_height = 25;
// More would need an index of more than 64 bits; nobody lives to use them.
inline constexpr unsigned max_total_height = 62;

// One tree: 2^height one-time keys of Winternitz width w.
struct Level {
    std::uint8_t height;  // 5, 10, 15, 20 or 25
    std::uint8_t w;       // 1, 2, 4 or 8
    friend bool operator==(const Level&, const Level&) = default;
};

constexpr bool is_valid(Level level) {
    return level.height >= 5 && level.height <= max_height && level.height % 5 == 0 &&
           (level.w == 1 || level.w == 2 || level.w == 4 || level.w == 8);
}

// RFC 8554, appendix B: from n and w, the number of chains and the shift of the checksum.
struct Winternitz {
    std::uint16_t chains;          // p
    std::uint16_t checksum_shift;  // ls
};
constexpr Winternitz winternitz(std::size_t n, unsigned w) {
    const auto u = static_cast<unsigned>(8 * n / w);
    const auto bits = static_cast<unsigned>(std::bit_width(((1U << w) - 1U) * u));
    const unsigned v = (bits + w - 1) / w;
    return {static_cast<std::uint16_t>(u + v), static_cast<std::uint16_t>(16 - v * w)};
}

// The longest: w = 1.
template <class Family>
inline constexpr std::size_t max_chains = winternitz(Family::n, 1).chains;

template <class Family>
constexpr std::uint32_t lms_type(Level level) {
    return Family::lms_h5 + level.height / 5U - 1U;
}
template <class Family>
constexpr std::uint32_t ots_type(Level level) {
    return Family::ots_w1 + static_cast<unsigned>(std::countr_zero(level.w));
}

// The level that two type codes name; peer_malformed if they are not of this family.
template <class Family>
Result<Level> level_of(std::uint64_t lms_type, std::uint64_t ots_type) {
    const std::uint64_t height = lms_type - Family::lms_h5;
    const std::uint64_t width = ots_type - Family::ots_w1;
    if (height > 4 || width > 3) return std::unexpected(Code::peer_malformed);
    return Level{static_cast<std::uint8_t>(5 * height + 5), static_cast<std::uint8_t>(1U << width)};
}

// u32str(type) || u32str(otstype) || I || T[1]
template <class Family>
inline constexpr std::size_t tree_key_size = 8 + identifier_size + Family::n;
// u32str(L) || the top level's
template <class Family>
inline constexpr std::size_t public_key_size = 4 + tree_key_size<Family>;

template <class Family>
constexpr std::size_t ots_signature_size(Level level) {
    return 4 + Family::n * (1 + winternitz(Family::n, level.w).chains);
}
template <class Family>
constexpr std::size_t tree_signature_size(Level level) {
    return 4 + ots_signature_size<Family>(level) + 4 + Family::n * level.height;
}

// The levels of a key, top first. Made only if they are sound.
class Parameters {
public:
    // input_invalid: no level or more than eight, an unknown height or width, more than
    // 2^max_total_height signatures, trees that with the longer digests are no object of this
    // machine (32 bits: a height of 25), so that no size made from the levels overflows.
    static constexpr Result<Parameters> make(std::span<const Level> levels,
                                             std::uint64_t largest_object = PTRDIFF_MAX) {
        if (levels.empty() || levels.size() > max_levels) {
            return std::unexpected(Code::input_invalid);
        }
        Parameters made;
        std::uint64_t trees_size = 0;
        for (const Level level : levels) {
            if (!is_valid(level)) return std::unexpected(Code::input_invalid);
            made.levels_[made.count_++] = level;
            made.total_height_ += level.height;
            trees_size += std::uint64_t{2 * max_node_size} << level.height;
        }
        if (trees_size > largest_object) return std::unexpected(Code::input_invalid);
        if (made.total_height_ > max_total_height) return std::unexpected(Code::input_invalid);
        return made;
    }

    constexpr std::size_t count() const { return count_; }
    constexpr Level operator[](std::size_t i) const { return levels_[i]; }
    constexpr Level last() const { return levels_[count_ - 1]; }
    // How many messages the key can sign.
    constexpr std::uint64_t capacity() const { return std::uint64_t{1} << total_height_; }

private:
    constexpr Parameters() = default;
    std::array<Level, max_levels> levels_{};
    std::size_t count_ = 0;
    unsigned total_height_ = 0;
};

// What stands before the last level's LMS signature: it changes only with a tree.
template <class Family>
constexpr std::size_t signature_prefix_size(const Parameters& parameters) {
    std::size_t size = 4;
    for (std::size_t i = 0; i + 1 < parameters.count(); ++i) {
        size += tree_signature_size<Family>(parameters[i]) + tree_key_size<Family>;
    }
    return size;
}
template <class Family>
constexpr std::size_t signature_size(const Parameters& parameters) {
    return signature_prefix_size<Family>(parameters) +
           tree_signature_size<Family>(parameters.last());
}

}  // namespace quoin::core::lms
