// X25519 of another provider, by way of our library context: OpenSSL's assembly takes 28 us for
// what core/crypto takes 66 us (2026-11-22, curve25519_bench). RFC 7748.
//
// Errors: null or false, and OpenSSL's queue says why. Threads: keys are constant.
#pragma once

#include <openssl/evp.h>

#include <cstdint>
#include <memory>
#include <span>

#include "provider/context.hpp"

namespace quoin::provider::x25519 {

inline constexpr std::size_t size = 32;  // of a public key, a private key, a shared secret

struct FreeKey {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;

Key generate(const ProviderContext& context);
Key private_key(const ProviderContext& context, std::span<const std::uint8_t, size> bytes);

bool write_public(const Key& key, std::span<std::uint8_t, size> bytes);
bool write_private(const Key& key, std::span<std::uint8_t, size> bytes);

// False for a peer's key of small order, too: the secret would be zeros (RFC 7748, section 6.1).
bool derive(const ProviderContext& context, const Key& key,
            std::span<const std::uint8_t, size> peer, std::span<std::uint8_t, size> secret);

}  // namespace quoin::provider::x25519
