// X25519 and Ed25519 beside OpenSSL: one JSON line a measurement.
#include <openssl/evp.h>

#include <cstdio>
#include <vector>

#include "core/crypto/curve25519/ed25519.hpp"
#include "core/crypto/curve25519/x25519.hpp"
// tidy: allow(layers) a measurement stands beside what the hosts use
#include "host/crypto/speed.hpp"

namespace quoin::core {
namespace {

constexpr std::array<std::uint8_t, 32> secret = {1, 2, 3, 4};

EVP_PKEY* peer_key(const char* type) {
    return EVP_PKEY_new_raw_private_key_ex(nullptr, type, nullptr, secret.data(), 32);
}

void report(const crypto::speed::Outcome& outcome) {
    std::puts(crypto::speed::json_line(outcome).c_str());
}

template <class Field>
void measure_x25519(const char* name) {
    std::array<std::uint8_t, 32> mine{}, shared{};
    EVP_PKEY* const peer = peer_key("X25519");
    report(crypto::speed::compare(
        fmt::format("X25519 {} keygen", name), [&] { x25519::public_key<Field>(secret, mine); },
        [] { EVP_PKEY_free(peer_key("X25519")); }));
    EVP_PKEY_CTX* const context = EVP_PKEY_CTX_new_from_pkey(nullptr, peer, nullptr);
    EVP_PKEY_derive_init(context);
    EVP_PKEY_derive_set_peer(context, peer);
    std::size_t size = shared.size();
    report(crypto::speed::compare(
        fmt::format("X25519 {} shared secret", name),
        [&] {
            if (!x25519::shared_secret<Field>(secret, mine, shared)) std::abort();
        },
        [&] { EVP_PKEY_derive(context, shared.data(), &size); }));
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(peer);
}

template <class Field>
void measure_ed25519(const char* name) {
    const std::vector<std::uint8_t> message(100, 0x5a);
    std::array<std::uint8_t, 64> signature{};
    std::size_t size = signature.size();
    const ed25519::PrivateKey<Field> key(secret);
    EVP_PKEY* const peer = peer_key("ED25519");
    EVP_MD_CTX* const context = EVP_MD_CTX_new();
    report(crypto::speed::compare(
        fmt::format("Ed25519 {} keygen", name),
        [&] { signature[0] ^= ed25519::PrivateKey<Field>(secret).public_key()[0]; },
        [] { EVP_PKEY_free(peer_key("ED25519")); }));
    report(crypto::speed::compare(
        fmt::format("Ed25519 {} sign", name), [&] { key.sign(message, signature); },
        [&] {
            EVP_DigestSignInit_ex(context, nullptr, nullptr, nullptr, nullptr, peer, nullptr);
            EVP_DigestSign(context, signature.data(), &size, message.data(), message.size());
        }));
    report(crypto::speed::compare(
        fmt::format("Ed25519 {} verify", name),
        [&] {
            if (!ed25519::verify<Field>(key.public_key(), message, signature)) std::abort();
        },
        [&] {
            EVP_DigestVerifyInit_ex(context, nullptr, nullptr, nullptr, nullptr, peer, nullptr);
            if (EVP_DigestVerify(context, signature.data(), size, message.data(), message.size()) !=
                1) {
                std::abort();
            }
        }));
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(peer);
}

}  // namespace
}  // namespace quoin::core

int main() {
    using namespace quoin::core;
    measure_x25519<curve25519::NativeField>("native");
    measure_ed25519<curve25519::NativeField>("native");
    measure_x25519<curve25519::Field25>("32-bit");
    measure_ed25519<curve25519::Field25>("32-bit");
}
