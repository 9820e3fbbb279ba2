// ECDSA P-256 from stores' own encodings to X.509's. Source: RFC 5480, RFC 3279, section 2.2.3.
//
// Threads: free functions.
#pragma once

#include <array>

#include "core/base/bytes.hpp"
#include "host/error.hpp"
#include "host/keys/security_provider.hpp"

namespace quoin::keys::p256 {

inline constexpr std::size_t coordinate_size = 32;  // bytes, big-endian
// 0x04 || x || y
inline constexpr std::size_t point_size = 1 + 2 * coordinate_size;

// SubjectPublicKeyInfo. integrity_mismatch: no point of the curve.
Result<ByteVector> spki_of(Bytes point);
// Ecdsa-Sig-Value. Numbers of up to 32 bytes.
Result<ByteVector> der_of(Bytes r, Bytes s);

}  // namespace quoin::keys::p256
