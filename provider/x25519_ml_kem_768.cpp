#include "provider/x25519_ml_kem_768.hpp"

namespace quoin::provider {

bool X25519MlKem768Key::take(x25519::Key key) {
    if (key == nullptr || !x25519::write_public(key, public_to_fill().last<x25519::size>()) ||
        !x25519::write_private(key, private_.expose_to_fill().last<x25519::size>())) {
        return false;
    }
    x25519_ = std::move(key);
    has_public_ = true;
    return true;
}

bool X25519MlKem768Key::generate() {
    core::Secret<struct Drawn, core::ml_kem::seed_size> seed;
    if (!draw_private(context_, seed.expose_to_fill(), row.security_bits)) return false;
    Half::generate(context_, public_to_fill().first<half_public>(),
                   private_.expose_to_fill().first<half_private>(), seed.expose());
    return take(x25519::generate(context_));
}

bool X25519MlKem768Key::set_public(Public key) {
    if (!Half::check_public(context_, key.first<half_public>())) return false;
    std::ranges::copy(key, public_.begin());
    has_public_ = true;
    return true;
}

bool X25519MlKem768Key::set_private(Private key) {
    const auto half = key.first<half_private>();
    if (!Half::check_private(context_, half)) return false;
    std::ranges::copy(half, private_.expose_to_fill().begin());
    std::ranges::copy(Half::public_in(half), public_.begin());
    return take(x25519::private_key(context_, key.last<x25519::size>()));
}

void X25519MlKem768Key::clear() {
    core::ct::wipe(private_.expose_to_fill());
    x25519_.reset();
    has_public_ = false;
}

bool X25519MlKem768Key::encapsulate(Secret secret,
                                    std::span<std::uint8_t, row.ciphertext_size> ciphertext,
                                    core::ml_kem::Random entropy) const {
    const x25519::Key own = x25519::generate(context_);
    if (own == nullptr || !x25519::write_public(own, ciphertext.last<x25519::size>()) ||
        !x25519::derive(context_, own, public_key().last<x25519::size>(),
                        secret.last<x25519::size>())) {
        core::ct::wipe(secret);
        return false;
    }
    Half::encapsulate(context_, secret.first<half_secret>(), ciphertext.first<half_ciphertext>(),
                      public_key().first<half_public>(), entropy);
    return true;
}

bool X25519MlKem768Key::decapsulate(
    Secret secret, std::span<const std::uint8_t, row.ciphertext_size> ciphertext) const {
    if (!x25519::derive(context_, x25519_, ciphertext.last<x25519::size>(),
                        secret.last<x25519::size>())) {
        core::ct::wipe(secret);
        return false;
    }
    Half::decapsulate(context_, secret.first<half_secret>(), private_key().first<half_private>(),
                      ciphertext.first<half_ciphertext>());
    return true;
}

}  // namespace quoin::provider
