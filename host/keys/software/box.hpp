// AES-256-GCM over small blobs: nonce 12 || ciphertext || tag 16. Source: NIST SP 800-38D.
//
// The nonce is random: at most 2^32 blobs under one key. Threads: free functions.
#pragma once

#include <span>

#include "core/base/bytes.hpp"
#include "host/error.hpp"
#include "host/keys/secret_bytes.hpp"
#include "host/keys/security_provider.hpp"

namespace quoin::keys::software {

inline constexpr std::size_t box_key_size = 32;
inline constexpr std::size_t box_overhead = 12 + 16;

using BoxKey = std::span<const std::uint8_t, box_key_size>;

Result<ByteVector> close_box(BoxKey key, Bytes secret, Bytes associated);
// integrity_mismatch: not closed with this key and this associated data.
Result<SecretBytes> open_box(BoxKey key, Bytes box, Bytes associated);

}  // namespace quoin::keys::software
