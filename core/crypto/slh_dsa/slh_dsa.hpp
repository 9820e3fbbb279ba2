// SLH-DSA, pure mode with context. Source: FIPS 205.
//
// Sizes: sets.hpp. Stack, g++ 14 -O2:
// | KiB    | Portable (Cortex-M4, x86-64) | ShaNi | Avx2 |
// | verify | 2.7                          | 4.2   | 8.1  |
// | keygen | 2.1                          |       | 5.5  |
// | sign   | 2.8                          |       | 7.5  |
//
// Errors: a context of more than 255 bytes is input_invalid when signing; all that is wrong with a
// signature, its size or its context is integrity_signature.
//
// Signing is made for Shake_128f and Shake_128s, verifying for all sets. Signing is hedged by
// `randomness` (opt_rand, n fresh random bytes); sign_deterministic() uses PK.seed in its place
// (FIPS 205, section 9.2), for where there are none: it is weaker against fault attacks.
//
// Constant time in SK.seed and SK.prf; R, the message and the signature are public. A private key
// whose PK.root is not its own makes signatures that do not verify; nothing checks that here.
// Threads: free functions.
#pragma once

#include <span>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"
#include "core/crypto/backend.hpp"
#include "core/crypto/slh_dsa/sets.hpp"

namespace quoin::core::slh_dsa {

// FIPS 205, Algorithm 24.
template <class Set, class Backend = Portable>
[[nodiscard]] Result<void> verify(std::span<const std::uint8_t, Set::public_key_size> public_key,
                                  Bytes message, Bytes context, Bytes signature);

// Algorithm 21 without its random numbers: `seeds` is SK.seed || SK.prf || PK.seed, 3 n random
// bytes. The private key is SK.seed || SK.prf || PK.seed || PK.root, the public one its second
// half.
template <class Set, class Backend = Portable>
void keygen(std::span<const std::uint8_t, 3 * Set::n> seeds,
            std::span<std::uint8_t, Set::private_key_size> private_key);

// Algorithm 22.
template <class Set, class Backend = Portable>
[[nodiscard]] Result<void> sign(std::span<const std::uint8_t, Set::private_key_size> private_key,
                                Bytes message, Bytes context,
                                std::span<const std::uint8_t, Set::n> randomness,
                                std::span<std::uint8_t, Set::signature_size> signature);

template <class Set, class Backend = Portable>
[[nodiscard]] Result<void> sign_deterministic(
    std::span<const std::uint8_t, Set::private_key_size> private_key, Bytes message, Bytes context,
    std::span<std::uint8_t, Set::signature_size> signature) {
    const auto pk_seed = private_key.template subspan<2 * Set::n, Set::n>();
    return sign<Set, Backend>(private_key, message, context, pk_seed, signature);
}

}  // namespace quoin::core::slh_dsa
