// Falcon-512 AND Ed25519: both must verify. An encoding of our own: docs/spec/falcon.md.
//
//   public key   929 = Falcon's 897 | Ed25519's 32      seed 80 = Falcon's 48 | Ed25519's 32
//   private key 1313 = Falcon's 1281 | Ed25519's seed   signature 730 = Falcon's, padded, 666 | 64
//
// Both sign M' = "Quoin Falcon-512 AND Ed25519, 1" | SHA-512(message). Who has one of the keys has
// nothing: neither half signs anything else, as long as its key is used for this alone.
//
// Errors: integrity_signature (which half, is not said); peer_malformed: the key is none. Both
// halves are always evaluated. Workspaces, backends, randomness and constant time are Falcon's
// (falcon/signing.hpp, keygen.hpp); stack: that of Ed25519 beside. Threads: one workspace for each
// call at a time.
#pragma once

#include "core/base/secret.hpp"
#include "core/crypto/curve25519/ed25519.hpp"
#include "core/crypto/falcon/keygen.hpp"
#include "core/crypto/falcon/signing.hpp"

namespace quoin::core::hybrid {

struct FalconEd25519 {
    using Set = falcon::Set512;
    static constexpr std::size_t public_key_size = 929;
    static constexpr std::size_t private_key_size = 1313;
    static constexpr std::size_t signature_size = 730;
};

struct FalconEd25519SeedTag;
using FalconEd25519Seed = Secret<FalconEd25519SeedTag, 80>;

template <class Backend = Portable>
Result<void> falcon_ed25519_verify(
    std::span<const std::uint8_t, FalconEd25519::public_key_size> public_key, Bytes message,
    std::span<const std::uint8_t, FalconEd25519::signature_size> signature,
    falcon::VerifyWorkspace<falcon::Set512>& workspace);

template <class Backend = Portable>
Result<void> falcon_ed25519_keygen(
    const FalconEd25519Seed& seed,
    std::span<std::uint8_t, FalconEd25519::public_key_size> public_key,
    std::span<std::uint8_t, FalconEd25519::private_key_size> private_key,
    falcon::KeygenWorkspace<falcon::Set512, Backend>& workspace);

// The signature is zeros if this fails.
template <class Backend = Portable>
Result<void> falcon_ed25519_sign(
    std::span<const std::uint8_t, FalconEd25519::private_key_size> private_key, Bytes message,
    falcon::Randomness randomness, std::span<std::uint8_t, FalconEd25519::signature_size> signature,
    falcon::SignWorkspace<falcon::Set512, Backend>& workspace);

}  // namespace quoin::core::hybrid
