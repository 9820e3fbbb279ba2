// X25519MLKEM768 of TLS 1.3 (code point 0x11EC). Source: RFC 10024.
//
//   client share 1216 = ML-KEM encapsulation key 1184 | X25519 public key 32
//   server share 1120 = ML-KEM ciphertext 1088 | X25519 public key 32
//   secret         64 = ML-KEM shared secret 32 | X25519 shared secret 32
//   randomness: client 96 (d, z, X25519 private key), server 64 (m, X25519 private key)
//   ClientKey 2432 bytes | workspace: ml_kem::Workspace<Set768> | stack: under 3 KiB beside it
//
//   client: start(key, share, randomness, workspace);                                 -> share
//   server: answer(client_share, share, secret, randomness, workspace);               <- share
//   client: finish(key, server_share, secret, workspace);
//
// The secret goes into TLS's key schedule as it is; the transcript there binds the shares.
// peer_malformed: the ML-KEM key fails FIPS 203's modulus check, or the X25519 secret is all zero
// (RFC 8446, 7.4.2); `secret` is zeros then. A wrong ML-KEM ciphertext is no error (implicit
// rejection): the secrets differ.
// Constant time in all that is secret. Threads: one workspace for each call at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/constant_time.hpp"
#include "core/base/result.hpp"
#include "core/crypto/backend.hpp"
#include "core/crypto/ml_kem/ml_kem.hpp"

namespace quoin::core::hybrid::tls_group {

inline constexpr std::size_t client_share_size = 1216;
inline constexpr std::size_t server_share_size = 1120;
inline constexpr std::size_t secret_size = 64;
inline constexpr std::size_t client_randomness_size = 96;
inline constexpr std::size_t server_randomness_size = 64;

template <class Backend = Portable>
using Workspace = ml_kem::Workspace<ml_kem::Set768, Backend>;

// What the client keeps between its share and the server's. Wiped when destroyed.
class ClientKey {
public:
    ClientKey() = default;
    ClientKey(const ClientKey&) = delete;
    ClientKey& operator=(const ClientKey&) = delete;
    ~ClientKey() {
        ct::wipe(ml_kem);
        ct::wipe(x25519);
    }

    std::array<std::uint8_t, ml_kem::Set768::decapsulation_key_size> ml_kem{};
    std::array<std::uint8_t, 32> x25519{};
};

template <class Backend = Portable>
void start(ClientKey& key, std::span<std::uint8_t, client_share_size> share,
           std::span<const std::uint8_t, client_randomness_size> randomness,
           Workspace<Backend>& workspace);

template <class Backend = Portable>
Result<void> answer(std::span<const std::uint8_t, client_share_size> client_share,
                    std::span<std::uint8_t, server_share_size> share,
                    std::span<std::uint8_t, secret_size> secret,
                    std::span<const std::uint8_t, server_randomness_size> randomness,
                    Workspace<Backend>& workspace);

// Once for a key: it must not be used for another share.
template <class Backend = Portable>
Result<void> finish(const ClientKey& key, std::span<const std::uint8_t, server_share_size> share,
                    std::span<std::uint8_t, secret_size> secret, Workspace<Backend>& workspace);

}  // namespace quoin::core::hybrid::tls_group
