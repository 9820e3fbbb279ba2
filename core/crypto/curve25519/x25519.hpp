// X25519, Diffie-Hellman on Curve25519. Source: RFC 7748.
//
//   private key 32 (any bytes) | public key 32 | shared secret 32 | stack: under 2.5 KiB
//
// `Field`: the arithmetic, of the target's word size unless named. Constant time in the private key
// and the result; that the result is all zero is told (the peer's key alone decides that).
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <span>

#include "core/base/result.hpp"
#include "core/crypto/curve25519/field.hpp"

namespace quoin::core::x25519 {

inline constexpr std::size_t key_size = 32;
using Key = std::span<const std::uint8_t, key_size>;
using MutableKey = std::span<std::uint8_t, key_size>;

template <class Field = curve25519::NativeField>
void public_key(Key private_key, MutableKey public_key);

// peer_malformed: the peer's key has small order, the shared secret would be the same for
// everybody (RFC 7748, 6.1); `shared` is zeros then. Keys that are not canonical (p and above, the
// highest bit set) are taken as the RFC says.
template <class Field = curve25519::NativeField>
Result<void> shared_secret(Key private_key, Key peer_public_key, MutableKey shared);

}  // namespace quoin::core::x25519
