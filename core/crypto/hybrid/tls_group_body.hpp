// X25519MLKEM768 over any backend: for the .cpp files that instantiate it.
#pragma once

#include "core/crypto/curve25519/x25519.hpp"
#include "core/crypto/hybrid/tls_group.hpp"

namespace quoin::core::hybrid::tls_group {

using Set = ml_kem::Set768;

template <class Backend>
void start(ClientKey& key, std::span<std::uint8_t, client_share_size> share,
           std::span<const std::uint8_t, client_randomness_size> randomness,
           Workspace<Backend>& workspace) {
    ml_kem::generate<Set, Backend>(share.first<Set::encapsulation_key_size>(), key.ml_kem,
                                   randomness.first<32>(), randomness.subspan<32, 32>(), workspace);
    for (std::size_t i = 0; i < key.x25519.size(); ++i) key.x25519[i] = randomness[64 + i];
    x25519::public_key(key.x25519, share.last<32>());
}

template <class Backend>
Result<void> answer(std::span<const std::uint8_t, client_share_size> client_share,
                    std::span<std::uint8_t, server_share_size> share,
                    std::span<std::uint8_t, secret_size> secret,
                    std::span<const std::uint8_t, server_randomness_size> randomness,
                    Workspace<Backend>& workspace) {
    ct::wipe(secret);
    QUOIN_TRY(const auto key, ml_kem::EncapsulationKey<Set>::check<Backend>(
                                  client_share.first<Set::encapsulation_key_size>()));
    const auto private_key = randomness.last<32>();
    QUOIN_CHECK(x25519::shared_secret(private_key, client_share.last<32>(), secret.last<32>()));
    x25519::public_key(private_key, share.last<32>());
    ml_kem::encapsulate<Set, Backend>(secret.first<32>(), share.first<Set::ciphertext_size>(), key,
                                      randomness.first<32>(), workspace);
    return {};
}

template <class Backend>
Result<void> finish(const ClientKey& key, std::span<const std::uint8_t, server_share_size> share,
                    std::span<std::uint8_t, secret_size> secret, Workspace<Backend>& workspace) {
    ct::wipe(secret);
    QUOIN_CHECK(x25519::shared_secret(key.x25519, share.last<32>(), secret.last<32>()));
    ml_kem::decapsulate<Set, Backend>(secret.first<32>(),
                                      ml_kem::DecapsulationKey<Set>::danger_unchecked(key.ml_kem),
                                      share.first<Set::ciphertext_size>(), workspace);
    return {};
}

}  // namespace quoin::core::hybrid::tls_group
