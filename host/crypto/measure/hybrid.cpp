#include <algorithm>

#include <fmt/format.h>

#include "core/crypto/hybrid/composite.hpp"
#include "core/crypto/hybrid/tls_group.hpp"
#include "core/crypto/hybrid/x_wing.hpp"
#include "core/crypto/ml_kem/workspace.hpp"
#include "core/crypto/sha2/sha2.hpp"
#include "host/crypto/measure/kinds.hpp"
#include "host/crypto/measure/peer.hpp"

namespace quoin::crypto::measure {
namespace {

using namespace core;
using namespace core::hybrid;

// X25519MLKEM768 in TLS. OpenSSL draws its randomness, which is in its figures.
template <class Backend>
struct TlsGroup {
    static constexpr const char* name = "X25519MLKEM768";

    TlsGroup() {
        start();
        answer();
    }

    void start() { tls_group::start<Backend>(key, client_share, client_randomness, space); }
    void answer() {
        must_work(
            tls_group::answer<Backend>(client_share, server_share, secret, server_randomness, space)
                .has_value(),
            "X25519MLKEM768 server");
    }
    void finish() {
        must_work(tls_group::finish<Backend>(key, server_share, secret, space).has_value(),
                  "X25519MLKEM768 client");
    }
    void peer_answer() {
        PeerKey::from_public(name, client_share).encapsulate(peer_server_share, peer_secret);
    }

    std::array<std::uint8_t, tls_group::client_randomness_size> client_randomness = pattern<96>(21);
    std::array<std::uint8_t, tls_group::server_randomness_size> server_randomness = pattern<64>(23);
    std::array<std::uint8_t, tls_group::client_share_size> client_share{};
    std::array<std::uint8_t, tls_group::server_share_size> server_share{}, peer_server_share{};
    std::array<std::uint8_t, tls_group::secret_size> secret{}, peer_secret{};
    tls_group::ClientKey key;
    tls_group::Workspace<Backend> space;
    PeerKey peer = PeerKey::fresh(name);
};

template <class Backend>
void add_tls_group(Comparisons& all) {
    const auto group = std::make_shared<TlsGroup<Backend>>();
    all.push_back({"X25519MLKEM768 client share", [group] { group->start(); },
                   [] { PeerKey::fresh(TlsGroup<Backend>::name).public_key(); }});
    all.push_back(
        {"X25519MLKEM768 server", [group] { group->answer(); }, [group] { group->peer_answer(); }});
    // Any server share of the right length will do: an ML-KEM ciphertext cannot be wrong.
    all.push_back({"X25519MLKEM768 client secret", [group] { group->finish(); },
                   [group] { group->peer.decapsulate(group->server_share, group->peer_secret); }});
}

// X-Wing; OpenSSL has none.
template <class Backend>
struct XWing {
    XWing() {
        keygen();
        encapsulate();
    }

    void keygen() { x_wing::public_key<Backend>(seed, public_key, space); }
    void encapsulate() {
        must_work(x_wing::encapsulate<Backend>(public_key, randomness, ciphertext, secret, space)
                      .has_value(),
                  "X-Wing encaps");
    }
    void decapsulate() {
        must_work(x_wing::decapsulate<Backend>(seed, ciphertext, secret, space).has_value(),
                  "X-Wing decaps");
    }

    std::array<std::uint8_t, x_wing::seed_size> seed = pattern<32>(25);
    std::array<std::uint8_t, x_wing::randomness_size> randomness = pattern<64>(29);
    std::array<std::uint8_t, x_wing::public_key_size> public_key{};
    std::array<std::uint8_t, x_wing::ciphertext_size> ciphertext{};
    std::array<std::uint8_t, x_wing::shared_secret_size> secret{};
    x_wing::Workspace<Backend> space;
};

template <class Backend>
void add_x_wing(Comparisons& all) {
    const auto kem = std::make_shared<XWing<Backend>>();
    all.push_back({"X-Wing keygen", [kem] { kem->keygen(); }, {}});
    all.push_back({"X-Wing encaps", [kem] { kem->encapsulate(); }, {}});
    all.push_back({"X-Wing decaps", [kem] { kem->decapsulate(); }, {}});
}

// Composite verification; OpenSSL has none.
template <class Composite, class Backend>
struct Composed {
    using Set = Composite::Set;

    // M' of draft-ietf-lamps-pq-composite-sigs-19, section 2.2, signed by both halves.
    Composed() {
        std::vector<std::uint8_t> part;
        const auto put = [&](Bytes bytes) { part.insert(part.end(), bytes.begin(), bytes.end()); };
        put(bytes_of("CompositeAlgorithmSignatures2025"));
        put(bytes_of(Composite::label));
        put(std::array<std::uint8_t, 1>{0});
        put(sha2::Sha512::of(message));

        std::array<std::uint8_t, 32> seed = pattern<32>(31);
        const ed25519::PrivateKey<> curve(seed);
        std::array<std::uint8_t, Set::private_key_size> lattice{};
        const auto keygen = std::make_unique<ml_dsa::KeygenWorkspace<Set>>();
        const auto sign = std::make_unique<ml_dsa::SignWorkspace<Set>>();
        const std::span keys(public_key);
        const std::span signatures(signature);
        ml_dsa::keygen<Set>(ml_dsa::Seed(seed), keys.template first<Set::public_key_size>(),
                            lattice, *keygen);
        std::ranges::copy(curve.public_key(), keys.template last<32>().begin());
        const auto label = ml_dsa::Context::of(bytes_of(Composite::label));
        must_work(
            label && ml_dsa::sign<Set>(lattice, part, *label, ml_dsa::deterministic,
                                       signatures.template first<Set::signature_size>(), *sign),
            "composite sign");
        curve.sign(part, signatures.template last<64>());
    }

    void verify() {
        must_work(hybrid::verify<Composite, Backend>(public_key, message, {}, signature, space)
                      .has_value(),
                  "composite verify");
    }

    std::array<std::uint8_t, 32> message = pattern<32>(33);
    std::array<std::uint8_t, Composite::public_key_size> public_key{};
    std::array<std::uint8_t, Composite::signature_size> signature{};
    ml_dsa::VerifyWorkspace<Set, Backend> space;
};

template <class Composite, class Backend>
void add_composite(Comparisons& all, const char* algorithm) {
    const auto keys = std::make_shared<Composed<Composite, Backend>>();
    all.push_back({fmt::format("{} verify", algorithm), [keys] { keys->verify(); }, {}});
}

}  // namespace

void add_hybrids(Comparisons& all) {
    with_widest_vectors([&]<class Backend>() {
        add_tls_group<Backend>(all);
        add_x_wing<Backend>(all);
        add_composite<MlDsa44Ed25519, Backend>(all, "ML-DSA-44+Ed25519");
        add_composite<MlDsa65Ed25519, Backend>(all, "ML-DSA-65+Ed25519");
    });
}

}  // namespace quoin::crypto::measure
