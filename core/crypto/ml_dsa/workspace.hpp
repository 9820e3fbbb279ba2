// The memory of each operation, which the caller lends. What is inside is the operation's own.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "core/crypto/backend.hpp"
#include "core/crypto/ml_dsa/ring.hpp"
#include "core/crypto/ml_dsa/set.hpp"

namespace quoin::core::ml_dsa {

// Avx2 samples A and y four polynomials at a time, Avx512 A eight at a time: A in groups of rows
// that fill them, y into a pool with what is left of the last four.
template <class Backend>
inline constexpr bool by_four = std::is_same_v<Backend, Avx2> || std::is_same_v<Backend, Avx512>;
template <class Backend>
inline constexpr std::size_t sampled_at_once = std::is_same_v<Backend, Avx512> ? 8 : 4;
template <class Set, class Backend>
inline constexpr std::size_t rows_at_once =
    Set::l % 4 == 0 ? sampled_at_once<Backend> / Set::l
                    : (Set::k < sampled_at_once<Backend> ? Set::k : sampled_at_once<Backend>);
template <class Set, class Backend>
using RowBuffer = std::array<Poly, by_four<Backend> ? rows_at_once<Set, Backend> * Set::l : 0>;
template <class Set, class Backend>
using MaskPool = std::array<Poly, Set::l + (by_four<Backend> && Set::l % 4 != 0 ? 3 : 0)>;

template <class Set, class Backend = Portable>
struct KeygenWorkspace {
    struct Secrets {
        std::array<Poly, Set::l + Set::k> s;  // s1, s2
        Poly t;
        Poly t0;
    } secrets;
    RowBuffer<Set, Backend> rows;
};

// A private key, ready to sign: decoded, transformed, with A. Plain memory: see LoadedPrivateKey.
template <class Set, class Backend>
struct SigningKey {
    std::array<Poly, Set::k * Set::l> matrix;
    std::array<std::uint8_t, 64> tr;
    struct Secrets {
        std::array<std::uint8_t, 32> K;
        std::array<Poly, Set::l> s1;
        std::array<Poly, Set::k> s2;
        std::array<Poly, Set::k> t0;
    } secrets;
};

template <class Set, class Backend = Portable>
struct SignScratch {
    struct Secrets {
        MaskPool<Set, Backend> y;
        std::array<Poly, Set::l> z;
        std::array<Poly, Set::k> w;  // its low bits
        std::array<std::array<std::uint8_t, n>, Set::k> w1;
        Poly product;
    } secrets;
    Poly c;
};

template <class Set, class Backend = Portable>
struct SignWorkspace {
    SigningKey<Set, Backend> key;
    SignScratch<Set, Backend> scratch;
};

template <class Set>
struct VerifyScratch {
    std::array<Poly, Set::l> z;
    Poly c;
    Poly w;
    Poly t;
};

template <class Set, class Backend = Portable>
struct VerifyWorkspace {
    VerifyScratch<Set> scratch;
    RowBuffer<Set, Backend> rows;
};

// Coefficients of [0, q) in three bytes each.
using PackedPoly = std::array<std::uint8_t, 3 * n>;

template <class Set>
struct LowMemorySignWorkspace {
    std::array<PackedPoly, Set::k> w;
    PackedPoly c;
    Poly poly;
};

struct LowMemoryVerifyWorkspace {
    Poly z;
    Poly c;
    Poly w;
};

}  // namespace quoin::core::ml_dsa
