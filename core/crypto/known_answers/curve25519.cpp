#include "core/crypto/known_answers/vectors/curve25519.hpp"
#include "core/crypto/curve25519/ed25519.hpp"
#include "core/crypto/curve25519/x25519.hpp"
#include "core/crypto/known_answers/messages.hpp"

namespace quoin::core::known_answers {
namespace {

using namespace curve25519_vectors;

bool x25519_keygen(const Memory&, unsigned) {
    std::array<std::uint8_t, 32> key{};
    x25519::public_key<>(private_a, key);
    return same(key, x25519_public_a);
}

bool x25519_exchange(const Memory&, unsigned) {
    std::array<std::uint8_t, 32> secret{};
    return x25519::shared_secret<>(private_a, x25519_public_b, secret) && same(secret, shared);
}

// A key of small order: everybody would share the secret.
bool x25519_refuses_zero(const Memory&, unsigned) {
    const std::array<std::uint8_t, 32> zero{};
    std::array<std::uint8_t, 32> secret{};
    return !x25519::shared_secret<>(private_a, zero, secret);
}

bool ed25519_sign(const Memory&, unsigned) {
    const ed25519::PrivateKey<> key(private_a);
    std::array<std::uint8_t, 64> made{};
    key.sign(kilobyte, made);
    return same(key.public_key(), ed25519_public_a) && same(made, signature);
}

bool ed25519_verify(const Memory&, unsigned) {
    return ed25519::verify<>(ed25519_public_a, kilobyte, signature).has_value();
}

bool ed25519_refuses(const Memory&, unsigned) {
    return !ed25519::verify<>(ed25519_public_b, kilobyte, signature) &&
           !ed25519::verify<>(ed25519_public_a, Bytes(kilobyte).first(1023), signature);
}

constexpr std::array operations = {
    Operation{"X25519 keygen", x25519_keygen},
    Operation{"X25519 exchange", x25519_exchange, x25519_refuses_zero},
    Operation{"Ed25519 key, sign 1 KiB", ed25519_sign},
    Operation{"Ed25519 verify 1 KiB", ed25519_verify, ed25519_refuses},
};

}  // namespace

Operations curve25519() { return operations; }

}  // namespace quoin::core::known_answers
