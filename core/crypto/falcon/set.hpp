// The parameter sets of Falcon: specification v1.2, table 3.3.
#pragma once

#include <cstddef>
#include <cstdint>

namespace quoin::core::falcon {

inline constexpr std::int32_t q = 12289;  // 3 * 2^12 + 1
inline constexpr std::size_t salt_size = 40;

// What follows from a choice of parameters.
template <unsigned LogN, std::uint32_t BetaSquared, std::size_t PaddedSize, unsigned FgBits>
struct Derived {
    static constexpr unsigned log_n = LogN;
    static constexpr std::size_t n = std::size_t{1} << LogN;
    static constexpr std::uint32_t beta_squared = BetaSquared;  // floor(beta^2)
    static constexpr unsigned fg_bits = FgBits;                 // of a coefficient of f and of g

    static constexpr std::size_t public_key_size = 1 + 14 * n / 8;
    static constexpr std::size_t private_key_size = 1 + 2 * FgBits * n / 8 + n;
    static constexpr std::size_t padded_signature_size = PaddedSize;  // sbytelen

    // Section 3.11: the first byte of keys and of signatures.
    static constexpr std::uint8_t public_key_header = LogN;
    static constexpr std::uint8_t private_key_header = 0x50 + LogN;
    static constexpr std::uint8_t signature_header = 0x30 + LogN;
};

struct Set512 : Derived<9, 34034726, 666, 6> {};
struct Set1024 : Derived<10, 70265242, 1280, 5> {};

static_assert(Set512::public_key_size == 897 && Set512::private_key_size == 1281);
static_assert(Set1024::public_key_size == 1793 && Set1024::private_key_size == 2305);

}  // namespace quoin::core::falcon
