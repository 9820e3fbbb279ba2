// The parameter sets of ML-DSA: FIPS 204, section 4, tables 1 and 2.
#pragma once

#include <cstddef>
#include <cstdint>

namespace quoin::core::ml_dsa {

inline constexpr std::int32_t q = 8380417;  // 2^23 - 2^13 + 1
inline constexpr std::size_t n = 256;       // coefficients of a polynomial
inline constexpr unsigned d = 13;           // dropped bits of t

// The bits of an unsigned value: bitlen of FIPS 204, section 2.3.
constexpr unsigned bit_length(std::uint32_t value) {
    unsigned bits = 0;
    for (; value != 0; value >>= 1U) ++bits;
    return bits;
}

// What follows from a choice of parameters.
template <std::size_t K, std::size_t L, std::int32_t Eta, unsigned Tau, std::size_t Lambda,
          unsigned Gamma1Bits, std::int32_t Gamma2Divisor, std::size_t Omega>
struct Derived {
    static constexpr std::size_t k = K;
    static constexpr std::size_t l = L;
    static constexpr std::int32_t eta = Eta;
    static constexpr unsigned tau = Tau;
    static constexpr std::int32_t gamma1 = std::int32_t{1} << Gamma1Bits;
    static constexpr std::int32_t gamma2 = (q - 1) / Gamma2Divisor;
    static constexpr std::int32_t beta = static_cast<std::int32_t>(Tau) * Eta;
    static constexpr std::size_t omega = Omega;
    static constexpr std::int32_t w1_count = Gamma2Divisor / 2;  // w1 is in [0, w1_count)

    static constexpr unsigned eta_bits = bit_length(2 * Eta);
    static constexpr unsigned z_bits = Gamma1Bits + 1;
    static constexpr unsigned w1_bits = bit_length(w1_count - 1);

    static constexpr std::size_t challenge_hash_size = Lambda / 4;  // c~
    static constexpr std::size_t z_poly_size = std::size_t{32} * z_bits;
    static constexpr std::size_t eta_poly_size = std::size_t{32} * eta_bits;
    static constexpr std::size_t w1_poly_size = std::size_t{32} * w1_bits;
    static constexpr std::size_t t0_poly_size = std::size_t{32} * d;
    static constexpr std::size_t t1_poly_size = std::size_t{32} * 10;

    static constexpr std::size_t public_key_size = 32 + K * t1_poly_size;
    static constexpr std::size_t private_key_size =
        128 + (K + L) * eta_poly_size + K * t0_poly_size;
    static constexpr std::size_t signature_size = challenge_hash_size + L * z_poly_size + Omega + K;
};

struct Set44 : Derived<4, 4, 2, 39, 128, 17, 88, 80> {};
struct Set65 : Derived<6, 5, 4, 49, 192, 19, 32, 55> {};
struct Set87 : Derived<8, 7, 2, 60, 256, 19, 32, 75> {};

static_assert(Set44::public_key_size == 1312 && Set44::private_key_size == 2560 &&
              Set44::signature_size == 2420);
static_assert(Set65::public_key_size == 1952 && Set65::private_key_size == 4032 &&
              Set65::signature_size == 3309);
static_assert(Set87::public_key_size == 2592 && Set87::private_key_size == 4896 &&
              Set87::signature_size == 4627);

}  // namespace quoin::core::ml_dsa
