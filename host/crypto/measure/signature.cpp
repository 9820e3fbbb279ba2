#include <fmt/format.h>

#include "core/crypto/lms/signer.hpp"
#include "core/crypto/lms/verify.hpp"
#include "core/crypto/ml_dsa/ml_dsa.hpp"
#include "core/crypto/slh_dsa/slh_dsa.hpp"
#include "host/crypto/measure/kinds.hpp"
#include "host/crypto/measure/peer.hpp"

namespace quoin::crypto::measure {
namespace {

using namespace core;

// One call signs them all: how often one signature is tried says nothing.
constexpr std::size_t message_count = 64;
using Message = std::array<std::uint8_t, 32>;

template <class Set, class Backend>
struct MlDsa {
    explicit MlDsa(const char* algorithm) : peer(PeerKey::from_seed(algorithm, seed)) {
        keygen();
        sign(pattern<32>(0));
    }

    void keygen() {
        std::array<std::uint8_t, 32> copy = seed;
        ml_dsa::keygen<Set, Backend>(ml_dsa::Seed(copy), public_key, private_key, space.keygen);
    }
    void sign(const Message& message) {
        must_work(ml_dsa::sign<Set, Backend>(private_key, message, {}, ml_dsa::deterministic,
                                             signature, space.sign)
                      .has_value(),
                  "ML-DSA sign");
    }
    void verify() {
        must_work(ml_dsa::verify<Set, Backend>(public_key, pattern<32>(0), {}, good_signature,
                                               space.verify)
                      .has_value(),
                  "ML-DSA verify");
    }

    std::array<std::uint8_t, 32> seed = pattern<32>(5);
    std::array<std::uint8_t, Set::public_key_size> public_key{};
    std::array<std::uint8_t, Set::private_key_size> private_key{};
    std::array<std::uint8_t, Set::signature_size> signature{}, good_signature{};
    struct {
        ml_dsa::KeygenWorkspace<Set, Backend> keygen;
        ml_dsa::SignWorkspace<Set, Backend> sign;
        ml_dsa::VerifyWorkspace<Set, Backend> verify;
    } space;
    PeerKey peer;
};

template <class Set, class Backend>
void add_ml_dsa(Comparisons& all, const char* algorithm) {
    const auto keys = std::make_shared<MlDsa<Set, Backend>>(algorithm);
    keys->good_signature = keys->signature;
    all.push_back({fmt::format("{} keygen", algorithm), [keys] { keys->keygen(); },
                   [keys, algorithm] { PeerKey::from_seed(algorithm, keys->seed); }});
    all.push_back({fmt::format("{} sign", algorithm),
                   [keys] {
                       for (std::size_t i = 0; i < message_count; ++i) {
                           keys->sign(pattern<32>(static_cast<std::uint8_t>(i)));
                       }
                   },
                   [keys] {
                       for (std::size_t i = 0; i < message_count; ++i) {
                           keys->peer.sign(pattern<32>(static_cast<std::uint8_t>(i)),
                                           keys->signature);
                       }
                   },
                   message_count});
    all.push_back({fmt::format("{} verify", algorithm), [keys] { keys->verify(); },
                   [keys] { keys->peer.verify(pattern<32>(0), keys->good_signature); }});
}

// OpenSSL signs, both verify; signatures differ in their chains' lengths, so two by turns.
template <class Set, class Backend>
struct SlhDsa {
    explicit SlhDsa(const char* algorithm)
        : peer(PeerKey::from_seed(algorithm, pattern<3 * Set::n>(27))), key(peer.public_key()) {
        for (std::size_t i = 0; i < signatures.size(); ++i) {
            signatures[i].resize(Set::signature_size);
            peer.sign(pattern<32>(static_cast<std::uint8_t>(i)), signatures[i]);
        }
    }
    void verify() {
        const std::size_t i = ours++ % signatures.size();
        must_work(slh_dsa::verify<Set, Backend>(
                      std::span(key).template first<Set::public_key_size>(),
                      pattern<32>(static_cast<std::uint8_t>(i)), {}, signatures[i])
                      .has_value(),
                  "SLH-DSA verify");
    }
    void peer_verify() {
        const std::size_t i = theirs++ % signatures.size();
        peer.verify(pattern<32>(static_cast<std::uint8_t>(i)), signatures[i]);
    }

    PeerKey peer;
    std::vector<std::uint8_t> key;
    std::array<std::vector<std::uint8_t>, 2> signatures;
    std::size_t ours = 0;
    std::size_t theirs = 0;
};

template <class Set, class Backend>
void add_slh_dsa(Comparisons& all, const char* algorithm) {
    const auto keys = std::make_shared<SlhDsa<Set, Backend>>(algorithm);
    all.push_back({fmt::format("{} verify", algorithm), [keys] { keys->verify(); },
                   [keys] { keys->peer_verify(); }});
}

// LMS_SHA256_M32_H10 with W4; OpenSSL has none.
template <class Backend>
struct Lms {
    using Family = lms::Sha256M32;
    static constexpr lms::Level level{10, 4};

    static const lms::Parameters& parameters() {
        static const lms::Parameters one = *lms::Parameters::make({&level, 1});
        return one;
    }

    Lms() {
        const auto top = lms::top_tree(key, storage);
        lms::fill_leaves<Family, Backend>(top, 0, 1U << level.height);
        lms::finish_tree<Family, Backend>(top);
        lms::write_public_key(key, top, public_key);
        sign();
    }

    // The same index each time: a measurement, of a key that signs nothing else.
    void sign() {
        lms::Signer<Family, Backend> fresh(key, storage);
        auto index = lms::Reservation::danger_already_durable(7, 1).take();
        must_work(fresh.open() && index && fresh.sign(*std::move(index), message, signature),
                  "LMS sign");
    }
    void sign_next() {
        auto index = lms::Reservation::danger_already_durable(next++, 1).take();
        must_work(index && signer->sign(*std::move(index), message, spare), "LMS sign");
    }
    void verify() {
        must_work(lms::verify<Family, Backend>(public_key, message, signature).has_value(),
                  "LMS verify");
    }

    std::array<std::uint8_t, 16> identifier = pattern<16>(9);
    std::array<std::uint8_t, 32> seed = pattern<32>(11);
    std::array<std::uint8_t, 32> message = pattern<32>(13);
    lms::PrivateKey<Family> key{parameters(), identifier, seed};
    std::vector<std::uint8_t> storage =
        std::vector<std::uint8_t>(lms::signer_storage_size<Family>(parameters()));
    std::array<std::uint8_t, lms::public_key_size<Family>> public_key{};
    std::vector<std::uint8_t> signature =
        std::vector<std::uint8_t>(lms::signature_size<Family>(parameters()));
    std::vector<std::uint8_t> spare = signature;
    std::unique_ptr<lms::Signer<Family, Backend>> signer;
    std::uint64_t next = 0;
};

// One call signs with 64 indices of the tree, each once; a new Signer forgets which.
template <class Backend>
void add_lms(Comparisons& all) {
    const auto keys = std::make_shared<Lms<Backend>>();
    all.push_back({"LMS SHA-256 H10 W4 sign",
                   [keys] {
                       if (!keys->signer || keys->next + message_count > 1024) {
                           keys->signer = std::make_unique<lms::Signer<lms::Sha256M32, Backend>>(
                               keys->key, keys->storage);
                           keys->next = 0;
                           must_work(keys->signer->open().has_value(), "LMS open");
                       }
                       for (std::size_t i = 0; i < message_count; ++i) keys->sign_next();
                   },
                   {},
                   message_count});
    all.push_back({"LMS SHA-256 H10 W4 verify", [keys] { keys->verify(); }, {}});
}

}  // namespace

void add_signatures(Comparisons& all) {
    with_widest_vectors([&]<class Backend>() {
        add_ml_dsa<ml_dsa::Set44, Backend>(all, "ML-DSA-44");
        add_ml_dsa<ml_dsa::Set65, Backend>(all, "ML-DSA-65");
        add_ml_dsa<ml_dsa::Set87, Backend>(all, "ML-DSA-87");
    });
    with_best_sha256([&]<class Backend>() {
        add_slh_dsa<slh_dsa::Sha2_128f, Backend>(all, "SLH-DSA-SHA2-128f");
        add_lms<Backend>(all);
    });
    with_best_vectors([&]<class Backend>() {
        add_slh_dsa<slh_dsa::Shake_128f, Backend>(all, "SLH-DSA-SHAKE-128f");
    });
}

}  // namespace quoin::crypto::measure
