// A key of X25519MLKEM768 (RFC 10024), in TLS a share and what belongs to it. Layouts:
//
//   public 1216 = ML-KEM encapsulation key 1184 | X25519 32 (the client's share)
//   ciphertext 1120 = ML-KEM ciphertext 1088 | X25519 32 (the server's share)
//   secret 64 = ML-KEM shared secret 32 | X25519 shared secret 32
//   private 2432 = ML-KEM decapsulation key 2400 | X25519 32
//
// Both halves are always evaluated before a secret is given. A key of small order in the X25519
// half is refused; a wrong ML-KEM ciphertext gives another secret (implicit rejection).
#pragma once

#include "provider/ml_kem.hpp"
#include "provider/x25519.hpp"

namespace quoin::provider {

class X25519MlKem768Key {
public:
    static constexpr const Kem& row = x25519_ml_kem_768;
    using Public = std::span<const std::uint8_t, row.public_key_size>;
    using Private = std::span<const std::uint8_t, row.private_key_size>;
    using Secret = std::span<std::uint8_t, row.shared_secret_size>;

    explicit X25519MlKem768Key(const ProviderContext& context) : context_(context) {}

    const ProviderContext& context() const { return context_; }
    bool has_public() const { return has_public_; }
    bool has_private() const { return x25519_ != nullptr; }
    Public public_key() const { return public_; }
    Private private_key() const { return private_.expose(); }

    bool generate();
    bool set_public(Public key);
    bool set_private(Private key);
    // ML-KEM's half. These keys live for one handshake: of X25519's, nobody asks it, and it would
    // cost more than making the key (docs/decisions/0017).
    bool is_consistent() const {
        return Half::is_consistent(context_, public_key().first<half_public>(),
                                   private_key().first<half_private>());
    }
    // Empty again: an import failed half-way.
    void clear();

    bool encapsulate(Secret secret, std::span<std::uint8_t, row.ciphertext_size> ciphertext,
                     core::ml_kem::Random entropy) const;
    bool decapsulate(Secret secret,
                     std::span<const std::uint8_t, row.ciphertext_size> ciphertext) const;

private:
    using Half = MlKem<core::ml_kem::Set768>;
    static constexpr std::size_t half_public = core::ml_kem::Set768::encapsulation_key_size;
    static constexpr std::size_t half_private = core::ml_kem::Set768::decapsulation_key_size;
    static constexpr std::size_t half_ciphertext = core::ml_kem::Set768::ciphertext_size;
    static constexpr std::size_t half_secret = core::ml_kem::shared_secret_size;

    std::span<std::uint8_t, row.public_key_size> public_to_fill() { return public_; }
    // Writes the X25519 half, whose private key `key` is.
    bool take(x25519::Key key);

    const ProviderContext& context_;
    std::array<std::uint8_t, row.public_key_size> public_{};
    core::Secret<struct PrivateKeyTag, row.private_key_size> private_;
    x25519::Key x25519_;  // of a private key
    bool has_public_ = false;
};

}  // namespace quoin::provider
