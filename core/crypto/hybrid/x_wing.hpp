// X-Wing: a KEM of ML-KEM-768 and X25519. Source: draft-connolly-cfrg-xwing-kem-10.
//
//   seed (the private key) 32 | public key 1216 | ciphertext 1120 | shared secret 32
//   randomness to encapsulate: 64 (m, X25519 private key)
//   Workspace 7968 bytes (Portable) | stack: under 3 KiB beside it
//
// Shared secret = SHA3-256(ss_M | ss_X | ct_X | pk_X | label). ct_M and pk_M need not be hashed:
// ML-KEM's own secret binds them.
//
// peer_malformed: the ML-KEM key fails FIPS 203's modulus check, or the X25519 secret is all zero.
// The second is stricter than the draft, which hashes the zeros: no honest peer sees a difference.
// The shared secret is zeros then. A wrong ML-KEM ciphertext is no error (implicit rejection).
// Constant time in all that is secret. Threads: one workspace for each call at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/result.hpp"
#include "core/crypto/backend.hpp"
#include "core/crypto/ml_kem/ml_kem.hpp"

namespace quoin::core::hybrid::x_wing {

inline constexpr std::size_t seed_size = 32;
inline constexpr std::size_t public_key_size = 1216;
inline constexpr std::size_t ciphertext_size = 1120;
inline constexpr std::size_t shared_secret_size = 32;
inline constexpr std::size_t randomness_size = 64;

using Seed = std::span<const std::uint8_t, seed_size>;
using PublicKey = std::span<const std::uint8_t, public_key_size>;
using Ciphertext = std::span<const std::uint8_t, ciphertext_size>;
using SharedSecret = std::span<std::uint8_t, shared_secret_size>;

template <class Backend = Portable>
struct Workspace {
    ml_kem::Workspace<ml_kem::Set768, Backend> ml_kem;
    // The key pair that follows from the seed.
    std::array<std::uint8_t, ml_kem::Set768::decapsulation_key_size> decapsulation_key;
    std::array<std::uint8_t, ml_kem::Set768::encapsulation_key_size> encapsulation_key;
    std::array<std::uint8_t, 32> x25519;
};

// GenerateKeyPairDerand: the seed is 32 random bytes.
template <class Backend = Portable>
void public_key(Seed seed, std::span<std::uint8_t, public_key_size> public_key,
                Workspace<Backend>& workspace);

// EncapsulateDerand.
template <class Backend = Portable>
Result<void> encapsulate(PublicKey public_key,
                         std::span<const std::uint8_t, randomness_size> randomness,
                         std::span<std::uint8_t, ciphertext_size> ciphertext, SharedSecret shared,
                         Workspace<Backend>& workspace);

// Decapsulate. The key pair is made from the seed each time.
template <class Backend = Portable>
Result<void> decapsulate(Seed seed, Ciphertext ciphertext, SharedSecret shared,
                         Workspace<Backend>& workspace);

}  // namespace quoin::core::hybrid::x_wing
