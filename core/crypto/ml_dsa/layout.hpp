// Where the parts of keys and signatures stand (FIPS 204, Algorithms 22 to 27), and the hint's
// encoding. For ml_dsa/ only.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/crypto/ml_dsa/set.hpp"

namespace quoin::core::ml_dsa {

// Algorithm 24: rho || K || tr || s1 || s2 || t0.
template <class Set>
struct PrivateKeyLayout {
    static constexpr std::size_t rho = 0;
    static constexpr std::size_t K = 32;
    static constexpr std::size_t tr = 64;
    static constexpr std::size_t s1 = 128;
    static constexpr std::size_t s2 = s1 + Set::l * Set::eta_poly_size;
    static constexpr std::size_t t0 = s2 + Set::k * Set::eta_poly_size;
    static_assert(t0 + Set::k * Set::t0_poly_size == Set::private_key_size);
};

// Algorithm 26: c~ || z || h.
template <class Set>
struct SignatureLayout {
    static constexpr std::size_t z = Set::challenge_hash_size;
    static constexpr std::size_t h = z + Set::l * Set::z_poly_size;
    static_assert(h + Set::omega + Set::k == Set::signature_size);
};

// The ones of row i are at positions [hint_begin(y, i), hint_end(y, i)) of y: Algorithm 20.
template <class Set>
std::size_t hint_end(const std::uint8_t* y, std::size_t i) {
    return y[Set::omega + i];
}
template <class Set>
std::size_t hint_begin(const std::uint8_t* y, std::size_t i) {
    return i == 0 ? 0 : hint_end<Set>(y, i - 1);
}

// FIPS 204, Algorithm 21 (HintBitUnpack): whether y is the encoding of a hint; each hint has one.
template <class Set>
bool is_hint(const std::uint8_t* y) {
    std::size_t index = 0;
    for (std::size_t i = 0; i < Set::k; ++i) {
        const std::size_t end = hint_end<Set>(y, i);
        if (end < index || end > Set::omega) return false;  // line 4
        for (const std::size_t first = index; index < end; ++index) {
            if (index > first && y[index - 1] >= y[index]) return false;  // line 9
        }
    }
    for (; index < Set::omega; ++index) {
        if (y[index] != 0) return false;  // line 17
    }
    return true;
}

}  // namespace quoin::core::ml_dsa
