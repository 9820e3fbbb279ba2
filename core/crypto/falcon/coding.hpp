// Encodings of public keys, private keys and signatures: specification, section 3.11. For falcon/
// only. Each value has one encoding, and decoders take no other.
#pragma once

#include <bit>

#include "core/base/bytes.hpp"
#include "core/crypto/falcon/ring.hpp"

namespace quoin::core::falcon {

// Fixed-width fields, most significant bit first, that fill `bytes` exactly. False at the first
// that take() refuses.
template <unsigned Width, class Take>
constexpr bool unpack_fields(Bytes bytes, Take take) {
    std::uint32_t buffer = 0;
    unsigned held = 0;
    std::size_t i = 0;
    for (const std::uint8_t byte : bytes) {
        buffer = buffer << 8U | byte;
        held += 8;
        while (held >= Width) {
            held -= Width;
            if (!take(i++, buffer >> held & ((1U << Width) - 1))) return false;
        }
    }
    return true;
}

template <unsigned Width, class Value>
constexpr void pack_fields(MutableBytes bytes, Value value) {
    std::uint32_t buffer = 0;
    unsigned held = 0;
    std::size_t i = 0;
    for (std::uint8_t& byte : bytes) {
        while (held < 8) {
            buffer = buffer << Width | (value(i++) & ((1U << Width) - 1));
            held += Width;
        }
        held -= 8;
        byte = static_cast<std::uint8_t>(buffer >> held);
    }
}

// h of a public key; false if the header or a coefficient is not one. Out: |c| <= q / 2.
template <class Set>
bool decode_public_key(Poly<Set>& h, std::span<const std::uint8_t, Set::public_key_size> bytes) {
    return bytes[0] == Set::public_key_header &&
           unpack_fields<14>(bytes.subspan(1), [&](std::size_t i, std::uint32_t field) {
               h.c[i] = center(static_cast<std::int32_t>(field));
               return field < q;
           });
}

// What of a coefficient of s2 is coded: the sign, 7 bits, and the rest in unary, below 2^4: so no
// coefficient exceeds 2047 (Algorithm 17).
inline constexpr unsigned low_bits = 7;
inline constexpr std::uint32_t largest_coefficient = 2047;

// The bits of a byte string, most significant first; beyond its end, zeros.
class BitReader {
public:
    explicit BitReader(Bytes bytes) : bytes_(bytes) {}

    // At least 25 bits, left-aligned.
    std::uint32_t look() {
        while (held_ <= 24) {
            const std::uint32_t byte = next_ < bytes_.size() ? bytes_[next_] : 0U;
            ++next_;
            window_ |= byte << (24 - held_);
            held_ += 8;
        }
        return window_;
    }
    // At most what look() showed.
    void skip(unsigned bits) {
        window_ <<= bits;
        held_ -= bits;
    }
    // Whether what is left is zeros, and the bits that were read ended within the string.
    bool only_zeros_left() const {
        if (8 * next_ - held_ > 8 * bytes_.size() || window_ != 0) return false;
        for (std::size_t i = next_; i < bytes_.size(); ++i) {
            if (bytes_[i] != 0) return false;
        }
        return true;
    }
    std::size_t bytes_begun() const { return (8 * next_ - held_ + 7) / 8; }

private:
    Bytes bytes_;
    std::size_t next_ = 0;
    std::uint32_t window_ = 0;
    unsigned held_ = 0;
};

// Algorithm 18 (Decompress). A signature of the padded length ends in zeros; any other ends in the
// byte of its last coefficient.
template <class Set>
bool decompress(Poly<Set>& s2, Bytes bytes, bool padded) {
    BitReader reader(bytes);
    for (std::int16_t& c : s2.c) {
        const std::uint32_t window = reader.look();
        const std::uint32_t unary = window << (1 + low_bits);
        const unsigned high = static_cast<unsigned>(std::countl_zero(unary));
        if (high > largest_coefficient >> low_bits) return false;  // too large, or the end
        const std::uint32_t magnitude =
            high << low_bits | (window >> (31 - low_bits) & ((1U << low_bits) - 1));
        const bool negative = (window >> 31U) != 0;
        if (negative && magnitude == 0) return false;  // 0 has one encoding
        c = static_cast<std::int16_t>(negative ? -static_cast<std::int32_t>(magnitude)
                                               : static_cast<std::int32_t>(magnitude));
        reader.skip(2 + low_bits + high);
    }
    return reader.only_zeros_left() && (padded || reader.bytes_begun() == bytes.size());
}

}  // namespace quoin::core::falcon
