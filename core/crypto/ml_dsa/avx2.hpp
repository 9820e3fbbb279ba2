// What the Avx2 backend does in its own way, for the *_avx2.cpp that instantiate the operations.
// Avx512 is the same over another Keccak, and samples A in its own way.
#pragma once

#include "core/crypto/ml_dsa/coding.hpp"
#include "core/crypto/ml_dsa/sample.hpp"
#include "core/crypto/ml_dsa/workspace.hpp"

namespace quoin::core::ml_dsa {

// Defined in sample_avx2.cpp. Results are those of Sampler<Set, Portable>.
template <class Set, class Backend>
    requires by_four<Backend>
struct Sampler<Set, Backend> {
    // `buffer` holds rows_at_once rows of A; rows are asked for in order, from 0.
    static void multiply_row(Poly& out, PublicSeed rho, std::size_t row, const Poly* z,
                             Poly* buffer);
    static void expand_matrix(Poly* a, PublicSeed rho);
    static void expand_secret(Poly* s, PrivateSeed seed);
    // `held` of the polynomials in the pool were made for the last attempt; those beyond its l are
    // the first of this one.
    static void expand_mask(Poly* pool, std::size_t& held, PrivateSeed seed, std::size_t kappa);
};

// Avx512: `count` polynomials of A, row-major from number `first` on. Defined in sample_avx512.cpp.
template <class Set>
void many_uniform_by_eight(Poly* out, PublicSeed rho, std::size_t first, std::size_t count);

// Defined in coding_avx2.cpp. Results are those of Coding<Set, Portable>.
template <class Set>
struct Coding<Set, Avx2> {
    static void power2round(Poly& t, Poly& t0);
    static void decompose(Poly& w, std::uint8_t* high);
    static void pack_w1(std::uint8_t* out, const std::uint8_t* high);
    static void pack_high_bits(std::uint8_t* out, const Poly& w);
    static std::size_t make_hint(HintPositions& positions, const Poly& low,
                                 const std::uint8_t* high);

    static void pack_t1(std::uint8_t* out, const Poly& t1);
    static void unpack_t1(Poly& t, const std::uint8_t* in);
    static void pack_t0(std::uint8_t* out, const Poly& t0);
    static void unpack_t0(Poly& t0, const std::uint8_t* in);
    static void pack_small(std::uint8_t* out, const Poly& s);
    [[nodiscard]] static bool unpack_small(Poly& s, const std::uint8_t* in);
    static void pack_z(std::uint8_t* out, const Poly& z);
    static void unpack_z(Poly& z, const std::uint8_t* in);
};

template <class Set>
struct Coding<Set, Avx512> : Coding<Set, Avx2> {};

}  // namespace quoin::core::ml_dsa
