// Rounding and encoding of whole polynomials (FIPS 204, sections 7.2 and 7.4). For ml_dsa/ only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/declassify.hpp"
#include "core/crypto/ml_dsa/bits.hpp"
#include "core/crypto/ml_dsa/field.hpp"
#include "core/crypto/ml_dsa/ring.hpp"

namespace quoin::core::ml_dsa {

// Positions of the ones of one polynomial's hint; a vector store may write eight beyond.
using HintPositions = std::array<std::uint8_t, n + 8>;

template <class Set, class Backend>
struct Coding;

template <class Set>
struct Coding<Set, Portable> {
    // Algorithm 35; t in [0, q) becomes t1, t0 becomes the rest.
    static void power2round(Poly& t, Poly& t0) {
        for (std::size_t i = 0; i < n; ++i) {
            const Split parts = ml_dsa::power2round(t.c[i]);
            t.c[i] = parts.high;
            t0.c[i] = parts.low;
        }
    }

    // Algorithm 36; w in [0, q) becomes its low bits.
    static void decompose(Poly& w, std::uint8_t* high) {
        for (std::size_t i = 0; i < n; ++i) {
            const Split parts = ml_dsa::decompose<Set>(w.c[i]);
            high[i] = static_cast<std::uint8_t>(parts.high);
            w.c[i] = parts.low;
        }
    }

    // A row of Algorithm 28 (w1Encode).
    static void pack_w1(std::uint8_t* out, const std::uint8_t* high) {
        pack<Set::w1_bits>(out, [&](std::size_t i) { return high[i]; });
    }
    // The same of HighBits(w), w in [0, q).
    static void pack_high_bits(std::uint8_t* out, const Poly& w) {
        pack<Set::w1_bits>(out, [&](std::size_t i) { return ml_dsa::decompose<Set>(w.c[i]).high; });
    }

    // Algorithm 39: where `high` is not the high bits of high 2 gamma2 + low. Returns how many.
    static std::size_t make_hint(HintPositions& positions, const Poly& low,
                                 const std::uint8_t* high) {
        std::size_t count = 0;
        for (std::size_t i = 0; i < n; ++i) {
            positions[count] = static_cast<std::uint8_t>(i);
            count +=
                static_cast<std::size_t>(ct::declassified(hint_needed<Set>(high[i], low.c[i])));
        }
        return count;
    }

    static void pack_t1(std::uint8_t* out, const Poly& t1) {
        pack<10>(out, [&](std::size_t i) { return t1.c[i]; });
    }
    // t1 2^d, below 2^23.
    static void unpack_t1(Poly& t, const std::uint8_t* in) {
        unpack<10>(in, [&](std::size_t i, std::int32_t value) { t.c[i] = value << d; });
    }
    static void pack_t0(std::uint8_t* out, const Poly& t0) {
        pack<d>(out, [&](std::size_t i) { return (1 << (d - 1)) - t0.c[i]; });
    }
    static void unpack_t0(Poly& t0, const std::uint8_t* in) {
        unpack<d>(in, [&](std::size_t i, std::int32_t value) { t0.c[i] = (1 << (d - 1)) - value; });
    }

    static void pack_small(std::uint8_t* out, const Poly& s) {
        pack<Set::eta_bits>(out, [&](std::size_t i) { return Set::eta - s.c[i]; });
    }
    // False if a coefficient is outside [-eta, eta]: FIPS 204 leaves that check to the caller of
    // Algorithm 25.
    [[nodiscard]] static bool unpack_small(Poly& s, const std::uint8_t* in) {
        std::int32_t room = 0;  // negative after any value above 2 eta
        unpack<Set::eta_bits>(in, [&](std::size_t i, std::int32_t value) {
            room |= 2 * Set::eta - value;
            s.c[i] = Set::eta - value;
        });
        return ct::declassified(room >> 31) == 0;
    }

    static void pack_z(std::uint8_t* out, const Poly& z) {
        pack<Set::z_bits>(out, [&](std::size_t i) { return Set::gamma1 - z.c[i]; });
    }
    static void unpack_z(Poly& z, const std::uint8_t* in) {
        unpack<Set::z_bits>(
            in, [&](std::size_t i, std::int32_t value) { z.c[i] = Set::gamma1 - value; });
    }
};

}  // namespace quoin::core::ml_dsa
