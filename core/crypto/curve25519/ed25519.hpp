// Ed25519 (pure, no context): signatures on the twisted Edwards form of Curve25519.
// Source: RFC 8032, 5.1. Not Ed25519ph, not Ed25519ctx.
//
//   seed 32 | public key 32 | signature 64 | message of any length
//   PrivateKey object: 96 bytes | stack: sign under 2.5 KiB, verify under 6 KiB (64 bit: 8
//   multiples of the public key and two rows of digits)
//
// Verification is strict and without cofactor, S B = R + k A compared as encodings, as OpenSSL's:
//   * S must be below the group order, so that nobody can change a signature without the key;
//   * the encodings of A and R must be the canonical ones (RFC 8032, 5.1.3);
//   * A must not be of small order: one signature would fit many messages.
// Verification in batches, or with the cofactor, would accept some signatures that this refuses:
// none that an honest signer makes.
//
// `Field`: the arithmetic, of the target's word size unless named. Signing and deriving the key are
// constant time in seed and message contents; verification is for public values only.
// Threads: a const PrivateKey may be shared.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"
#include "core/crypto/curve25519/field.hpp"

namespace quoin::core::ed25519 {

inline constexpr std::size_t seed_size = 32;
inline constexpr std::size_t public_key_size = 32;
inline constexpr std::size_t signature_size = 64;

using PublicKey = std::span<const std::uint8_t, public_key_size>;
using Signature = std::span<const std::uint8_t, signature_size>;

// The expanded seed with its public key: signing with another public key would give the private one
// away, so nobody can pass one. Wiped when destroyed.
template <class Field = curve25519::NativeField>
class PrivateKey {
public:
    explicit PrivateKey(std::span<const std::uint8_t, seed_size> seed);
    PrivateKey(const PrivateKey&) = delete;
    PrivateKey& operator=(const PrivateKey&) = delete;
    ~PrivateKey();

    [[nodiscard]] PublicKey public_key() const { return public_key_; }
    void sign(Bytes message, std::span<std::uint8_t, signature_size> signature) const;

private:
    std::array<std::uint8_t, 32> scalar_{};  // s, clamped
    std::array<std::uint8_t, 32> prefix_{};
    std::array<std::uint8_t, 32> public_key_{};
};

// peer_malformed: not a public key, or one of small order. integrity_signature: any other failure.
template <class Field = curve25519::NativeField>
Result<void> verify(PublicKey public_key, Bytes message, Signature signature);
#if defined(__SIZEOF_INT128__)
template <>
Result<void> verify<curve25519::Field51>(PublicKey public_key, Bytes message, Signature signature);
#endif

}  // namespace quoin::core::ed25519
