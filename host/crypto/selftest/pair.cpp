#include "host/crypto/selftest/pair.hpp"

#include <openssl/evp.h>

#include <atomic>
#include <vector>

#include "core/base/constant_time.hpp"
#include "host/crypto/handles.hpp"
#include "host/crypto/library.hpp"
#include "host/crypto/selftest/fault.hpp"
#include "host/crypto/selftest/module.hpp"

namespace quoin::crypto::selftest {
namespace {

using KeyHandle = Handle<EVP_PKEY, EVP_PKEY_free>;
using KeyContextHandle = Handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;

std::atomic<unsigned> pair_rounds = 1;

constexpr std::string_view message = "quoin pairwise consistency test";

// Wiped when it goes.
struct Shared {
    std::vector<std::uint8_t> bytes;
    Shared() = default;
    Shared(const Shared&) = delete;
    Shared& operator=(const Shared&) = delete;
    ~Shared() { core::ct::wipe(bytes); }
};

KeyContextHandle context_of(EVP_PKEY* key) {
    return KeyContextHandle(EVP_PKEY_CTX_new_from_pkey(library(), key, nullptr));
}

bool encapsulates(EVP_PKEY* key) {
    const KeyContextHandle there = context_of(key);
    const KeyContextHandle back = context_of(key);
    std::size_t size = 0;
    std::size_t secret_size = 0;
    if (!there || !back || EVP_PKEY_encapsulate_init(there.get(), nullptr) != 1 ||
        EVP_PKEY_encapsulate(there.get(), nullptr, &size, nullptr, &secret_size) != 1) {
        return false;
    }
    std::vector<std::uint8_t> ciphertext(size);
    Shared sent;
    Shared received;
    sent.bytes.resize(secret_size);
    received.bytes.resize(secret_size);
    return EVP_PKEY_encapsulate(there.get(), ciphertext.data(), &size, sent.bytes.data(),
                                &secret_size) == 1 &&
           EVP_PKEY_decapsulate_init(back.get(), nullptr) == 1 &&
           EVP_PKEY_decapsulate(back.get(), received.bytes.data(), &secret_size, ciphertext.data(),
                                size) == 1 &&
           core::ct::equal(sent.bytes, received.bytes);
}

bool derives(EVP_PKEY* own, EVP_PKEY* peer, Shared& shared) {
    const KeyContextHandle context = context_of(own);
    std::size_t size = 32;
    shared.bytes.resize(size);
    return context && EVP_PKEY_derive_init(context.get()) == 1 &&
           EVP_PKEY_derive_set_peer(context.get(), peer) == 1 &&
           EVP_PKEY_derive(context.get(), shared.bytes.data(), &size) == 1;
}

// With a second pair, from both sides.
bool agrees(EVP_PKEY* key) {
    const KeyHandle other(EVP_PKEY_Q_keygen(library(), nullptr, "X25519"));
    Shared one;
    Shared two;
    return other && derives(key, other.get(), one) && derives(other.get(), key, two) &&
           core::ct::equal(one.bytes, two.bytes);
}

}  // namespace

void set_pair_rounds(unsigned rounds) { pair_rounds = rounds; }

Result<void> judge_pair(std::string_view name, bool consistent) {
    const std::string test = fmt::format("pair of {}", name);
    if (consistent != is_broken(test)) return {};
    return stop_module(test);
}

Result<void> check_pair(const PrivateKey& key) {
    QUOIN_TRY(const Algorithm algorithm, key.algorithm());
    const auto pair = key.public_key();
    bool consistent = pair.has_value();
    for (unsigned round = 0; consistent && round < pair_rounds; ++round) {
        const auto signature = key.sign(bytes_of(message));
        consistent = signature && pair->verify(bytes_of(message), *signature);
    }
    return judge_pair(info(algorithm).name, consistent);
}

Result<void> check_agreement(std::string_view name, EVP_PKEY* key) {
    bool consistent = true;
    for (unsigned round = 0; consistent && round < pair_rounds; ++round) {
        consistent = name == "X25519" ? agrees(key) : encapsulates(key);
    }
    return judge_pair(name, consistent);
}

}  // namespace quoin::crypto::selftest
