#include <algorithm>
#include <array>

#include "core/crypto/curve25519/ed25519.hpp"
#include "core/crypto/curve25519/x25519.hpp"
#include "secure_element/key.hpp"

namespace quoin::secure_element {
namespace {

using namespace core;

constexpr std::array<std::uint8_t, 32> test_message{0x51};

class Ed25519Key final : public Key {
public:
    explicit Ed25519Key(Bytes seed) : key_(seed.first<ed25519::seed_size>()) {}

    Bytes public_key() const override { return key_.public_key(); }
    quoin::Result<ByteVector> sign(Bytes message, Bytes context) const override {
        if (!context.empty()) {
            return fail(Code::input_invalid, "Ed25519 has no context; leave it empty");
        }
        ByteVector signature(ed25519::signature_size);
        key_.sign(message, std::span(signature).first<ed25519::signature_size>());
        return signature;
    }
    quoin::Result<void> check_pair() const override {
        QUOIN_TRY(const ByteVector signature, sign(test_message, {}));
        return lift(ed25519::verify(key_.public_key(), test_message,
                                    std::span(signature).first<ed25519::signature_size>()),
                    "the new Ed25519 key's first signature");
    }

private:
    ed25519::PrivateKey<> key_;
};

struct X25519Tag;

class X25519Key final : public Key {
public:
    explicit X25519Key(Bytes private_key) {
        std::ranges::copy(private_key, private_.expose_to_fill().begin());
        x25519::public_key(private_.expose(), public_);
    }

    Bytes public_key() const override { return public_; }
    quoin::Result<SharedSecret> agree(Bytes peer) const override {
        if (peer.size() != x25519::key_size) {
            return fail(Code::input_invalid, "an X25519 key has 32 bytes, this one {}",
                        peer.size());
        }
        SharedSecret shared;
        if (!x25519::shared_secret(private_.expose(), peer.first<x25519::key_size>(),
                                   shared.expose_to_fill())) {
            return fail(Code::input_invalid, "the peer's X25519 key has small order");
        }
        return shared;
    }
    // Both ways to the same secret, with a second key.
    quoin::Result<void> check_pair() const override {
        const X25519Key other(test_message);
        QUOIN_TRY(const SharedSecret ours, agree(other.public_key()));
        QUOIN_TRY(const SharedSecret theirs, other.agree(public_));
        if (ct::equal(ours.expose(), theirs.expose())) return {};
        return fail(Code::internal, "the new X25519 key's halves do not belong together");
    }

private:
    Secret<X25519Tag, x25519::key_size> private_;
    std::array<std::uint8_t, x25519::key_size> public_{};
};

}  // namespace

std::unique_ptr<Key> load_curve_key(Algorithm algorithm, Bytes material) {
    if (algorithm == Algorithm::ed25519) return std::make_unique<Ed25519Key>(material);
    return std::make_unique<X25519Key>(material);
}

}  // namespace quoin::secure_element
