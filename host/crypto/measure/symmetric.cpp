#include <fmt/format.h>

#include "core/crypto/aes/aes_gcm.hpp"
#include "core/crypto/keccak/keccak.hpp"
#include "core/crypto/sha2/sha2.hpp"
#include "host/crypto/measure/kinds.hpp"
#include "host/crypto/measure/peer.hpp"

namespace quoin::crypto::measure {
namespace {

using namespace core;

constexpr std::size_t message_size = 16 * 1024;

struct Buffers {
    std::array<std::uint8_t, message_size> message = pattern<message_size>(21);
    std::array<std::uint8_t, message_size> output{};
    std::array<std::uint8_t, 64> digest{};
};

template <class Set, class Backend>
void add_sha2(Comparisons& all, const std::shared_ptr<Buffers>& buffers, const char* name) {
    const auto peer = std::make_shared<PeerHash>(name);
    all.push_back({fmt::format("{} 16 KiB", name),
                   [buffers] {
                       sha2::Hash<Set, Backend> hash;
                       hash.update(buffers->message);
                       hash.finish(std::span(buffers->digest).template first<Set::digest_size>());
                   },
                   [buffers, peer] { (*peer)(buffers->message, buffers->digest); }});
}

template <class Hash>
void add_sha3(Comparisons& all, const std::shared_ptr<Buffers>& buffers, const char* name) {
    const auto peer = std::make_shared<PeerHash>(name);
    all.push_back({fmt::format("{} 16 KiB", name),
                   [buffers] {
                       Hash::digest(std::span(buffers->digest).template first<Hash::size>(),
                                    buffers->message);
                   },
                   [buffers, peer] { (*peer)(buffers->message, buffers->digest); }});
}

template <class Xof>
void add_shake(Comparisons& all, const std::shared_ptr<Buffers>& buffers, const char* name) {
    const auto peer = std::make_shared<PeerHash>(name, true);
    all.push_back({fmt::format("{} 16 KiB", name),
                   [buffers] { Xof::digest(buffers->digest, buffers->message); },
                   [buffers, peer] { (*peer)(buffers->message, buffers->digest); }});
}

template <class Set, class Backend>
void add_gcm(Comparisons& all, const std::shared_ptr<Buffers>& buffers, const char* name) {
    constexpr auto key = [] { return pattern<Set::key_size>(23); };
    const auto ours = std::make_shared<aes_gcm::Key<Set, Backend>>(key());
    const auto peer = std::make_shared<PeerGcm>(key());
    all.push_back({fmt::format("{} seal 16 KiB", name),
                   [buffers, ours] {
                       must_work(ours->seal(pattern<12>(25), {}, buffers->message, buffers->output,
                                            std::span(buffers->digest).template first<16>())
                                     .has_value(),
                                 "AES-GCM seal");
                   },
                   [buffers, peer] {
                       peer->seal(pattern<12>(25), buffers->message, buffers->output,
                                  MutableBytes(buffers->digest).first(16));
                   }});
}

// One message has no lanes: Avx2 has nothing for it.
template <class Work>
void with_best_hash(Work work) {
    if constexpr (avx2_is_built) {
        if (processor().sha_ni) return work.template operator()<ShaNi>();
    }
    work.template operator()<Portable>();
}

template <class Work>
void with_best_aes(Work work) {
    if constexpr (avx2_is_built) {
        if (processor().vaes) return work.template operator()<Vaes>();
        if (processor().aes_ni) return work.template operator()<AesNi>();
    }
    work.template operator()<Portable>();
}

}  // namespace

void add_symmetric(Comparisons& all) {
    const auto buffers = std::make_shared<Buffers>();
    with_best_hash(
        [&]<class Backend>() { add_sha2<sha2::Set256, Backend>(all, buffers, "SHA-256"); });
    add_sha2<sha2::Set512, Portable>(all, buffers, "SHA-512");
    with_best_vectors([&]<class Backend>() {
        add_sha3<keccak::Sha3_256<Backend>>(all, buffers, "SHA3-256");
        add_sha3<keccak::Sha3_512<Backend>>(all, buffers, "SHA3-512");
        add_shake<keccak::Shake128<Backend>>(all, buffers, "SHAKE128");
        add_shake<keccak::Shake256<Backend>>(all, buffers, "SHAKE256");
    });
    with_best_aes([&]<class Backend>() {
        add_gcm<aes_gcm::Set128, Backend>(all, buffers, "AES-128-GCM");
        add_gcm<aes_gcm::Set256, Backend>(all, buffers, "AES-256-GCM");
    });
}

}  // namespace quoin::crypto::measure
