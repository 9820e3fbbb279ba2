#include <fmt/format.h>

#include "core/crypto/ml_kem/ml_kem.hpp"
#include "core/crypto/ml_kem/workspace.hpp"
#include "host/crypto/measure/kinds.hpp"
#include "host/crypto/measure/peer.hpp"

namespace quoin::crypto::measure {
namespace {

using namespace core::ml_kem;

// Our side and OpenSSL's, with the same key.
template <class Set, class Backend>
struct Kem {
    explicit Kem(const char* algorithm) : peer(PeerKey::from_seed(algorithm, seed)) {
        keygen();
        encapsulate();
    }

    void keygen() {
        const std::span view = seed;
        generate<Set, Backend>(ek, dk, view.template first<32>(), view.template last<32>(), space);
    }
    // With the check of the key; OpenSSL's is when its key object is made.
    void encapsulate() {
        const auto key = EncapsulationKey<Set>::template check<Backend>(ek);
        must_work(key.has_value(), "ML-KEM's check of the key");
        core::ml_kem::encapsulate<Set, Backend>(secret, ciphertext, *key, random, space);
    }
    void decapsulate() {
        core::ml_kem::decapsulate<Set, Backend>(secret, DecapsulationKey<Set>::danger_unchecked(dk),
                                                ciphertext, space);
    }

    std::array<std::uint8_t, 64> seed = pattern<64>(1);
    std::array<std::uint8_t, 32> random = pattern<32>(3);
    std::array<std::uint8_t, Set::encapsulation_key_size> ek{};
    std::array<std::uint8_t, Set::decapsulation_key_size> dk{};
    std::array<std::uint8_t, Set::ciphertext_size> ciphertext{}, peer_ciphertext{};
    std::array<std::uint8_t, 32> secret{}, peer_secret{};
    Workspace<Set, Backend> space;
    PeerKey peer;
};

template <class Set, class Backend>
void add(Comparisons& all, const char* algorithm) {
    const auto kem = std::make_shared<Kem<Set, Backend>>(algorithm);
    all.push_back({fmt::format("{} keygen", algorithm), [kem] { kem->keygen(); },
                   [kem, algorithm] { PeerKey::from_seed(algorithm, kem->seed); }});
    all.push_back(
        {fmt::format("{} encaps", algorithm), [kem] { kem->encapsulate(); },
         [kem] { kem->peer.encapsulate(kem->random, kem->peer_ciphertext, kem->peer_secret); }});
    all.push_back({fmt::format("{} decaps", algorithm), [kem] { kem->decapsulate(); },
                   [kem] { kem->peer.decapsulate(kem->ciphertext, kem->peer_secret); }});
}

}  // namespace

void add_kems(Comparisons& all) {
    with_widest_vectors([&]<class Backend>() {
        add<Set512, Backend>(all, "ML-KEM-512");
        add<Set768, Backend>(all, "ML-KEM-768");
        add<Set1024, Backend>(all, "ML-KEM-1024");
    });
}

}  // namespace quoin::crypto::measure
