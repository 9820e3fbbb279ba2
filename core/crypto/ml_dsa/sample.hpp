// The pseudorandom samplers of FIPS 204, section 7.3, one polynomial at a time. For ml_dsa/ only.
//
// Sampler<Set, Backend> makes what an operation needs of them; Avx2 makes four at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/constant_time.hpp"
#include "core/base/declassify.hpp"
#include "core/crypto/keccak/keccak.hpp"
#include "core/crypto/ml_dsa/bits.hpp"
#include "core/crypto/ml_dsa/field.hpp"
#include "core/crypto/ml_dsa/ring.hpp"

namespace quoin::core::ml_dsa {

using PublicSeed = std::span<const std::uint8_t, 32>;   // rho
using PrivateSeed = std::span<const std::uint8_t, 64>;  // rho' and rho''

// FIPS 204, Algorithm 30 (RejNTTPoly) with the seed of Algorithm 32 (ExpandA): take(i, c) for the
// 256 coefficients, in [0, q), of A[row, column] in the standard's order. Public: rho is.
// `Chunk` bytes of the stream are held at a time.
template <std::size_t Chunk = 168, class Take>
inline void uniform(PublicSeed rho, std::size_t row, std::size_t column, Take take) {
    static_assert(Chunk % 24 == 0);
    const std::array<std::uint8_t, 2> position{static_cast<std::uint8_t>(column),
                                               static_cast<std::uint8_t>(row)};
    keccak::Shake128<> stream;
    stream.absorb(rho).absorb(position);
    std::array<std::uint8_t, Chunk> chunk{};
    for (std::size_t i = 0; i < n;) {
        stream.squeeze(chunk);
        const std::uint8_t* at = chunk.data();
        for (const std::uint8_t* end = at + Chunk; at != end && i < n; at += 3) {
            // Algorithm 14 (CoeffFromThreeBytes)
            const std::int32_t c = at[0] | (at[1] << 8) | ((at[2] & 0x7f) << 16);
            if (c < q) take(i++, c);
        }
    }
}

// FIPS 204, Algorithm 15 (CoeffFromHalfByte), for an accepted half byte.
template <class Set>
constexpr std::int32_t small_coefficient(std::int32_t half_byte) {
    if constexpr (Set::eta == 4) return 4 - half_byte;
    const std::int32_t fifth = (half_byte * 205) >> 10;  // half_byte / 5 below 15
    return 2 - (half_byte - 5 * fifth);
}
template <class Set>
inline constexpr std::int32_t half_byte_limit = Set::eta == 4 ? 9 : 15;

// FIPS 204, Algorithm 31 (RejBoundedPoly) with the seed of Algorithm 33 (ExpandS).
// Public by the standard's design: which half bytes are refused. They tell nothing about the rest.
template <class Set>
inline void small(Poly& out, PrivateSeed seed, std::size_t index) {
    const std::array<std::uint8_t, 2> nonce{static_cast<std::uint8_t>(index), 0};
    keccak::Shake256<> stream;
    stream.absorb(seed).absorb(nonce);
    std::array<std::uint8_t, 136> block{};
    for (std::size_t i = 0; i < n;) {
        stream.squeeze(block);
        for (const std::uint8_t byte : block) {
            for (const std::int32_t half_byte : {byte & 15, byte >> 4}) {
                const std::int32_t below = (half_byte - half_byte_limit<Set>) >> 31;
                if (ct::declassified(below) == 0 || i == n) continue;
                out.c[i++] = small_coefficient<Set>(half_byte);
            }
        }
    }
    ct::wipe(block);
}

// One polynomial of FIPS 204, Algorithm 34 (ExpandMask), kappa + r = index: take(i, c) for its
// coefficients, in (-gamma1, gamma1].
template <class Set, class Take>
inline void mask(PrivateSeed seed, std::size_t index, Take take) {
    const std::array<std::uint8_t, 2> nonce{static_cast<std::uint8_t>(index),
                                            static_cast<std::uint8_t>(index >> 8U)};
    keccak::Shake256<> stream;
    stream.absorb(seed).absorb(nonce);
    constexpr std::size_t at_once = 16;
    std::array<std::uint8_t, at_once * Set::z_bits / 8> chunk{};
    for (std::size_t i = 0; i < n; i += at_once) {
        stream.squeeze(chunk);
        unpack<Set::z_bits>(
            chunk.data(),
            [&](std::size_t at, std::int32_t value) { take(at, Set::gamma1 - value); }, i, at_once);
    }
    ct::wipe(chunk);
}

// FIPS 204, Algorithm 29 (SampleInBall), of c~. Public: c~ is part of a signature, and that of a
// refused attempt is declassified (sign_body.hpp says why).
template <class Set, class Backend>
inline void sample_in_ball(Poly& c,
                           std::span<const std::uint8_t, Set::challenge_hash_size> c_tilde) {
    keccak::Shake256<Backend> stream;
    stream.absorb(c_tilde);
    std::array<std::uint8_t, 8> sign_bytes{};
    stream.squeeze(sign_bytes);
    std::uint64_t signs = 0;
    for (std::size_t i = 8; i > 0; --i) signs = (signs << 8U) | sign_bytes[i - 1];
    for (std::int32_t& coefficient : c.c) coefficient = 0;
    std::array<std::uint8_t, 16> chunk{};
    std::size_t at = chunk.size();
    for (std::size_t i = n - Set::tau; i < n;) {
        if (at == chunk.size()) {
            stream.squeeze(chunk);
            at = 0;
        }
        const std::size_t j = chunk[at++];
        if (j > i) continue;  // line 6
        c.c[i++] = c.c[j];
        c.c[j] = 1 - 2 * static_cast<std::int32_t>(signs & 1U);
        signs >>= 1U;
    }
}

template <class Set, class Backend>
struct Sampler;

template <class Set>
struct Sampler<Set, Portable> {
    // out = sum over s of A[row, s] z[s] 2^-32, |c| < q. Nothing of A is kept.
    static void multiply_row(Poly& out, PublicSeed rho, std::size_t row, const Poly* z,
                             Poly* /*buffer*/) {
        for (std::int32_t& c : out.c) c = 0;
        for (std::size_t s = 0; s < Set::l; ++s) {
            uniform(rho, row, s, [sum = out.c, factor = z[s].c](std::size_t i, std::int32_t a) {
                sum[i] += montgomery_multiply(a, factor[i]);  // |sum| < l q <= 7 q
            });
        }
        Ring<Portable>::reduce(out);
    }

    // Algorithm 32, row by row.
    static void expand_matrix(Poly* a, PublicSeed rho) {
        for (std::size_t at = 0; at < Set::k * Set::l; ++at) {
            uniform(rho, at / Set::l, at % Set::l,
                    [out = a[at].c](std::size_t i, std::int32_t c) { out[i] = c; });
        }
    }

    // Algorithm 33: s1, then s2.
    static void expand_secret(Poly* s, PrivateSeed seed) {
        for (std::size_t r = 0; r < Set::l + Set::k; ++r) small<Set>(s[r], seed, r);
    }

    // Algorithm 34: the y of the attempt that begins at kappa, at the front of the pool.
    static void expand_mask(Poly* pool, std::size_t& /*held*/, PrivateSeed seed,
                            std::size_t kappa) {
        for (std::size_t r = 0; r < Set::l; ++r) {
            mask<Set>(seed, kappa + r,
                      [out = pool[r].c](std::size_t i, std::int32_t c) { out[i] = c; });
        }
    }
};

}  // namespace quoin::core::ml_dsa
