#include "core/crypto/curve25519/ed25519.hpp"
#include "core/crypto/curve25519/x25519.hpp"
#include "host/crypto/measure/kinds.hpp"
#include "host/crypto/measure/peer.hpp"

namespace quoin::crypto::measure {
namespace {

using namespace core;

struct Curve {
    std::array<std::uint8_t, 32> seed = pattern<32>(15);
    std::array<std::uint8_t, 32> other = pattern<32>(17);
    std::array<std::uint8_t, 32> message = pattern<32>(19);
    std::array<std::uint8_t, 32> other_public{}, secret{}, peer_secret{};
    std::array<std::uint8_t, 64> signature{}, peer_signature{};
    ed25519::PrivateKey<> signer{seed};
    PeerKey peer_x = PeerKey::from_private("X25519", seed);
    PeerKey peer_ed = PeerKey::from_private("ED25519", seed);
};

}  // namespace

void add_curves(Comparisons& all) {
    const auto curve = std::make_shared<Curve>();
    x25519::public_key<>(curve->other, curve->other_public);
    curve->signer.sign(curve->message, curve->signature);
    const auto other =
        std::make_shared<PeerKey>(PeerKey::from_public("X25519", curve->other_public));
    all.push_back({"X25519 keygen", [curve] { x25519::public_key<>(curve->seed, curve->secret); },
                   [curve] { PeerKey::from_private("X25519", curve->seed); }});
    all.push_back({"X25519 exchange",
                   [curve] {
                       must_work(
                           x25519::shared_secret<>(curve->seed, curve->other_public, curve->secret)
                               .has_value(),
                           "X25519");
                   },
                   [curve, other] { curve->peer_x.derive(*other, curve->peer_secret); }});
    all.push_back({"Ed25519 sign",
                   [curve] { curve->signer.sign(curve->message, curve->signature); },
                   [curve] { curve->peer_ed.sign(curve->message, curve->peer_signature); }});
    all.push_back({"Ed25519 verify",
                   [curve] {
                       must_work(ed25519::verify<>(curve->signer.public_key(), curve->message,
                                                   curve->signature)
                                     .has_value(),
                                 "Ed25519 verify");
                   },
                   [curve] { curve->peer_ed.verify(curve->message, curve->signature); }});
}

}  // namespace quoin::crypto::measure
