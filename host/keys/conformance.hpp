// What every key store must do: a GoogleTest suite for host/keys/security_provider.hpp. Include it
// in one file of a test program, and say how to make a store:
//
//   INSTANTIATE_TEST_SUITE_P(mine, Conformance, testing::Values(make_my_fixture));
//
// What a store cannot do (Description) must be input_unsupported; what it can is tried, with the
// refusals. Signatures are verified and secrets encapsulated by OpenSSL, not by the store.
#pragma once

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "host/crypto/crypto.hpp"
#include "host/crypto/handles.hpp"
#include "host/keys/security_provider.hpp"

namespace quoin::keys {

// One store of a test, with what it runs on (a folder, a process); ends it when destroyed.
class StoreFixture {
public:
    StoreFixture() = default;
    StoreFixture(const StoreFixture&) = delete;
    StoreFixture& operator=(const StoreFixture&) = delete;
    virtual ~StoreFixture() = default;

    // A new, empty store. Called again after zeroize().
    virtual Result<std::unique_ptr<SecurityProvider>> create() = 0;
    // The one that create() made, as after a restart of the using process.
    virtual Result<std::unique_ptr<SecurityProvider>> open() = 0;
};
using MakeFixture = std::unique_ptr<StoreFixture> (*)();

class Conformance : public testing::TestWithParam<MakeFixture> {
protected:
    void SetUp() override {
        fixture_ = GetParam()();
        ASSERT_NE(fixture_, nullptr);
        auto created = fixture_->create();
        ASSERT_TRUE(created) << created.error().message;
        store_ = *std::move(created);
        description_ = store_->describe();
    }

    void reopen() {
        store_.reset();
        auto opened = fixture_->open();
        ASSERT_TRUE(opened) << opened.error().message;
        store_ = *std::move(opened);
    }

    static bool signs(const std::string& algorithm) {
        return algorithm != "X25519" && !algorithm.starts_with("ML-KEM-");
    }
    // The first algorithm that signs; every store of the tree has one.
    std::string signing_algorithm() const {
        const auto found = std::ranges::find_if(description_.algorithms, signs);
        return found == description_.algorithms.end() ? "" : *found;
    }
    // By the public key alone.
    static void expect_verifies(Bytes spki, Bytes message, Bytes signature) {
        const auto key = crypto::PublicKey::from_spki_der(spki);
        ASSERT_TRUE(key) << key.error().message;
        const auto verified = key->verify(message, signature);
        EXPECT_TRUE(verified) << verified.error().message;
        ByteVector other(message.begin(), message.end());
        other.push_back('!');
        EXPECT_FALSE(key->verify(other, signature));
    }
    void expect_decapsulates(const std::string& name, const std::string& algorithm, Bytes spki);
    void expect_all_state_wrong();
    // Makes the key, or sees that the store refuses the policy in the right way.
    bool made(std::string_view name, const UsePolicy& policy) {
        const auto result = store_->generate(name, signing_algorithm(), policy);
        if (!result) {
            EXPECT_EQ(result.error().code, Code::input_unsupported) << result.error().message;
            const auto absent = store_->public_key(name);
            EXPECT_FALSE(absent) << "a key that was refused is there";
        }
        return result.has_value();
    }

    std::unique_ptr<StoreFixture> fixture_;
    std::unique_ptr<SecurityProvider> store_;
    Description description_;
    ByteVector message_{'q', 'u', 'o', 'i', 'n', ':', ' ', 'o', 'n', 'e'};
    ByteVector secret_ = ByteVector(32, 0x5A);
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Conformance);

// gtest prints this for a value that failed.
template <class T>
Code code_of(const Result<T>& result) {
    return result ? Code::internal : result.error().code;
}

inline void Conformance::expect_decapsulates(const std::string& name, const std::string& algorithm,
                                             Bytes spki) {
    const unsigned char* next = spki.data();
    const crypto::Handle<EVP_PKEY, EVP_PKEY_free> key(
        d2i_PUBKEY(nullptr, &next, static_cast<long>(spki.size())));
    ASSERT_TRUE(key);
    ByteVector ciphertext;
    ByteVector expected;
    if (algorithm == "X25519") {
        const crypto::Handle<EVP_PKEY, EVP_PKEY_free> own(
            EVP_PKEY_Q_keygen(nullptr, nullptr, "X25519"));
        const crypto::Handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(
            EVP_PKEY_CTX_new_from_pkey(nullptr, own.get(), nullptr));
        std::size_t size = 32;
        expected.resize(size);
        ciphertext.resize(size);
        ASSERT_EQ(EVP_PKEY_derive_init(context.get()), 1);
        ASSERT_EQ(EVP_PKEY_derive_set_peer(context.get(), key.get()), 1);
        ASSERT_EQ(EVP_PKEY_derive(context.get(), expected.data(), &size), 1);
        ASSERT_EQ(EVP_PKEY_get_raw_public_key(own.get(), ciphertext.data(), &size), 1);
    } else {
        const crypto::Handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(
            EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
        std::size_t size = 0;
        std::size_t secret_size = 0;
        ASSERT_EQ(EVP_PKEY_encapsulate_init(context.get(), nullptr), 1);
        ASSERT_EQ(EVP_PKEY_encapsulate(context.get(), nullptr, &size, nullptr, &secret_size), 1);
        ciphertext.resize(size);
        expected.resize(secret_size);
        ASSERT_EQ(EVP_PKEY_encapsulate(context.get(), ciphertext.data(), &size, expected.data(),
                                       &secret_size),
                  1);
    }
    const auto shared = store_->decapsulate(name, ciphertext);
    ASSERT_TRUE(shared) << shared.error().message;
    EXPECT_TRUE(std::ranges::equal(shared->expose(), expected));
    EXPECT_EQ(code_of(store_->decapsulate(name, Bytes(ciphertext).first(ciphertext.size() - 1))),
              Code::input_invalid);
    ciphertext.push_back(0);
    EXPECT_EQ(code_of(store_->decapsulate(name, ciphertext)), Code::input_invalid);
    EXPECT_EQ(code_of(store_->sign(name, message_, {})), Code::peer_forbidden);
}

inline void Conformance::expect_all_state_wrong() {
    const Code wrong = Code::state_wrong;
    EXPECT_EQ(code_of(store_->generate("b", signing_algorithm(), {})), wrong);
    EXPECT_EQ(code_of(store_->list()), wrong);
    EXPECT_EQ(code_of(store_->public_key("a")), wrong);
    EXPECT_EQ(code_of(store_->sign("a", message_, {})), wrong);
    EXPECT_EQ(code_of(store_->remove("a")), wrong);
    EXPECT_EQ(code_of(store_->zeroize()), wrong);
    if (description_.seals) {
        EXPECT_EQ(code_of(store_->seal(secret_)), wrong);
    }
    if (description_.counts) {
        EXPECT_EQ(code_of(store_->create_counter("d")), wrong);
        EXPECT_EQ(code_of(store_->increment_counter("c")), wrong);
        EXPECT_EQ(code_of(store_->read_counter("c")), wrong);
    }
}

TEST_P(Conformance, describe__new_store__says_what_it_is) {
    EXPECT_FALSE(description_.kind.empty());
    EXPECT_FALSE(description_.location.empty());
    EXPECT_FALSE(description_.product.empty());
    EXPECT_FALSE(description_.sealed_by.empty());
    EXPECT_FALSE(signing_algorithm().empty());
    const auto keys = store_->list();
    ASSERT_TRUE(keys) << keys.error().message;
    EXPECT_TRUE(keys->empty());
}

TEST_P(Conformance, names__not_ours__input_invalid_everywhere) {
    for (const std::string& name : {std::string(), std::string("."), std::string(".."),
                                    std::string("a/b"), std::string("a b"), std::string("\xC3\xA4"),
                                    std::string("a\0b", 3), std::string(max_name_size + 1, 'a')}) {
        EXPECT_EQ(code_of(store_->generate(name, signing_algorithm(), {})), Code::input_invalid);
        EXPECT_EQ(code_of(store_->public_key(name)), Code::input_invalid);
        EXPECT_EQ(code_of(store_->sign(name, message_, {})), Code::input_invalid);
        EXPECT_EQ(code_of(store_->remove(name)), Code::input_invalid);
        if (description_.counts) {
            EXPECT_EQ(code_of(store_->create_counter(name)), Code::input_invalid);
            EXPECT_EQ(code_of(store_->increment_counter(name)), Code::input_invalid);
            EXPECT_EQ(code_of(store_->read_counter(name)), Code::input_invalid);
        }
    }
    const std::string longest(max_name_size, 'z');
    EXPECT_TRUE(store_->generate(longest, signing_algorithm(), {}));
    EXPECT_TRUE(store_->public_key(longest));
}

TEST_P(Conformance, generate__each_algorithm__used_before_and_after_a_restart) {
    std::vector<ByteVector> public_keys;
    for (std::size_t i = 0; i < description_.algorithms.size(); ++i) {
        const auto made = store_->generate(std::to_string(i), description_.algorithms[i], {});
        ASSERT_TRUE(made) << made.error().message;
        auto spki = store_->public_key(std::to_string(i));
        ASSERT_TRUE(spki) << spki.error().message;
        public_keys.push_back(*std::move(spki));
    }
    for (const bool restarted : {false, true}) {
        if (restarted) {
            ASSERT_NO_FATAL_FAILURE(reopen());
        }
        for (std::size_t i = 0; i < description_.algorithms.size(); ++i) {
            const std::string name = std::to_string(i);
            SCOPED_TRACE(description_.algorithms[i]);
            const auto spki = store_->public_key(name);
            ASSERT_TRUE(spki) << spki.error().message;
            EXPECT_EQ(*spki, public_keys[i]);
            if (!signs(description_.algorithms[i])) {
                expect_decapsulates(name, description_.algorithms[i], *spki);
                continue;
            }
            const auto signature = store_->sign(name, message_, {});
            ASSERT_TRUE(signature) << signature.error().message;
            expect_verifies(*spki, message_, *signature);
            EXPECT_FALSE(store_->decapsulate(name, ByteVector(32, 9)));
        }
    }
}

TEST_P(Conformance, generate__taken_name__conflict_and_the_key_stays) {
    ASSERT_TRUE(store_->generate("a", signing_algorithm(), {}));
    const auto before = store_->public_key("a");
    EXPECT_EQ(code_of(store_->generate("a", signing_algorithm(), {})), Code::input_conflict);
    const auto after = store_->public_key("a");
    ASSERT_TRUE(before && after);
    EXPECT_EQ(*before, *after);
}

TEST_P(Conformance, generate__unknown_algorithm__unsupported) {
    for (const char* algorithm : {"", "ROT13", "ml-dsa-65", "ML-DSA-65 "}) {
        EXPECT_EQ(code_of(store_->generate("a", algorithm, {})), Code::input_unsupported);
    }
    EXPECT_EQ(code_of(store_->public_key("a")), Code::input_not_found);
}

TEST_P(Conformance, policy__each_part__enforced_or_refused) {
    UsePolicy prefix;
    prefix.message_prefix = "quoin: ";
    if (made("prefix", prefix)) {
        EXPECT_TRUE(store_->sign("prefix", message_, {}));
        EXPECT_EQ(code_of(store_->sign("prefix", bytes_of("quoin;"), {})), Code::peer_forbidden);
        EXPECT_EQ(code_of(store_->sign("prefix", {}, {})), Code::peer_forbidden);
        ASSERT_NO_FATAL_FAILURE(reopen());
        EXPECT_EQ(code_of(store_->sign("prefix", bytes_of("other"), {})), Code::peer_forbidden);
    }
    UsePolicy uses;
    uses.max_uses = 2;
    if (made("uses", uses)) {
        EXPECT_TRUE(store_->sign("uses", message_, {}));
        ASSERT_NO_FATAL_FAILURE(reopen());
        EXPECT_TRUE(store_->sign("uses", message_, {}));
        EXPECT_EQ(code_of(store_->sign("uses", message_, {})), Code::peer_forbidden);
    }
    UsePolicy rate;
    rate.max_uses_per_minute = 1;
    if (made("rate", rate)) {
        EXPECT_TRUE(store_->sign("rate", message_, {}));
        const Code second = code_of(store_->sign("rate", message_, {}));
        EXPECT_TRUE(second == Code::peer_forbidden || second == Code::peer_too_fast);
    }
    UsePolicy users;  // that others are refused is each store's own test: it takes another user
    users.users = {::geteuid() + 1};
    if (made("users", users)) {
        EXPECT_TRUE(store_->sign("users", message_, {})) << "its owner";
        ASSERT_NO_FATAL_FAILURE(reopen());
        const auto keys = store_->list();
        ASSERT_TRUE(keys) << keys.error().message;
        const auto found = std::ranges::find(*keys, "users", &KeyInfo::name);
        ASSERT_NE(found, keys->end());
        EXPECT_EQ(found->policy, users);
    }
    UsePolicy bound;
    bound.platform_bound = true;
    if (made("bound", bound)) {
        EXPECT_TRUE(store_->sign("bound", message_, {}));
    }
}

TEST_P(Conformance, sign__nobody_has_it__not_found) {
    EXPECT_EQ(code_of(store_->sign("nobody", message_, {})), Code::input_not_found);
    EXPECT_EQ(code_of(store_->public_key("nobody")), Code::input_not_found);
    EXPECT_EQ(code_of(store_->remove("nobody")), Code::input_not_found);
}

TEST_P(Conformance, sign__context_too_long_or_not_taken__input_invalid) {
    ASSERT_TRUE(store_->generate("a", signing_algorithm(), {}));
    EXPECT_EQ(code_of(store_->sign("a", message_, ByteVector(256, 1))), Code::input_invalid);
    EXPECT_EQ(code_of(store_->sign("a", ByteVector(max_message_size + 1), {})),
              Code::input_invalid);
}

TEST_P(Conformance, list__keys_made_and_removed__sorted_and_whole) {
    for (const char* name : {"b", "a", "A.1_-"}) {
        ASSERT_TRUE(store_->generate(name, signing_algorithm(), {}));
    }
    ASSERT_TRUE(store_->remove("b"));
    for (const bool restarted : {false, true}) {
        if (restarted) {
            ASSERT_NO_FATAL_FAILURE(reopen());
        }
        const auto keys = store_->list();
        ASSERT_TRUE(keys) << keys.error().message;
        ASSERT_EQ(keys->size(), 2U);
        EXPECT_EQ((*keys)[0].name, "A.1_-");
        EXPECT_EQ((*keys)[1].name, "a");
        EXPECT_EQ((*keys)[1].algorithm, signing_algorithm());
        EXPECT_EQ((*keys)[1].policy, UsePolicy());
        EXPECT_EQ(code_of(store_->sign("b", message_, {})), Code::input_not_found);
    }
    EXPECT_TRUE(store_->generate("b", signing_algorithm(), {})) << "the name is free again";
}

TEST_P(Conformance, seal__each_size__opened_after_a_restart) {
    if (!description_.seals) {
        EXPECT_EQ(code_of(store_->seal(secret_)), Code::input_unsupported);
        EXPECT_EQ(code_of(store_->unseal(secret_)), Code::input_unsupported);
        return;
    }
    EXPECT_EQ(code_of(store_->seal({})), Code::input_invalid);
    EXPECT_EQ(code_of(store_->seal(ByteVector(max_sealed_secret + 1, 1))), Code::input_invalid);
    for (const std::size_t size : {std::size_t{1}, std::size_t{32}, max_sealed_secret}) {
        const ByteVector secret(size, 0xA5);
        const auto blob = store_->seal(secret);
        ASSERT_TRUE(blob) << blob.error().message;
        EXPECT_TRUE(size < 8 || std::ranges::search(*blob, secret).empty()) << "in clear";
        ASSERT_NO_FATAL_FAILURE(reopen());
        const auto opened = store_->unseal(*blob);
        ASSERT_TRUE(opened) << opened.error().message;
        EXPECT_TRUE(std::ranges::equal(opened->expose(), secret));
    }
}

TEST_P(Conformance, unseal__changed_blob__integrity_mismatch) {
    if (!description_.seals) GTEST_SKIP() << description_.kind << " does not seal";
    const auto blob = store_->seal(secret_);
    ASSERT_TRUE(blob) << blob.error().message;
    EXPECT_EQ(code_of(store_->unseal({})), Code::integrity_mismatch);
    for (std::size_t i = 0; i < blob->size(); i += 1 + blob->size() / 32) {
        ByteVector changed = *blob;
        changed[i] ^= 0x01;
        EXPECT_EQ(code_of(store_->unseal(changed)), Code::integrity_mismatch) << "byte " << i;
        EXPECT_EQ(code_of(store_->unseal(Bytes(*blob).first(i))), Code::integrity_mismatch)
            << "cut at " << i;
    }
    ByteVector longer = *blob;
    longer.push_back(0);
    EXPECT_EQ(code_of(store_->unseal(longer)), Code::integrity_mismatch);
    EXPECT_TRUE(store_->unseal(*blob)) << "the good one still opens";
}

TEST_P(Conformance, counter__increments_and_restarts__only_grows) {
    if (!description_.counts) {
        EXPECT_EQ(code_of(store_->create_counter("c")), Code::input_unsupported);
        EXPECT_EQ(code_of(store_->increment_counter("c")), Code::input_unsupported);
        EXPECT_EQ(code_of(store_->read_counter("c")), Code::input_unsupported);
        return;
    }
    EXPECT_EQ(code_of(store_->read_counter("c")), Code::input_not_found);
    EXPECT_EQ(code_of(store_->increment_counter("c")), Code::input_not_found);
    auto last = store_->create_counter("c");
    ASSERT_TRUE(last) << last.error().message;
    EXPECT_EQ(code_of(store_->create_counter("c")), Code::input_conflict);
    for (int i = 0; i < 3; ++i) {
        const auto next = store_->increment_counter("c");
        ASSERT_TRUE(next) << next.error().message;
        EXPECT_EQ(*next, *last + 1);
        ASSERT_NO_FATAL_FAILURE(reopen());
        const auto read = store_->read_counter("c");
        ASSERT_TRUE(read) << read.error().message;
        EXPECT_EQ(*read, *next);
        last = *next;
    }
}

TEST_P(Conformance, attest__by_its_own_key_only__and_never_signs) {
    UsePolicy policy;
    policy.attestation_only = true;
    if (!description_.attests) {
        EXPECT_FALSE(made("a", policy));
        EXPECT_EQ(code_of(store_->attest("a", secret_)), Code::input_unsupported);
        return;
    }
    ASSERT_TRUE(made("a", policy));
    ASSERT_TRUE(store_->generate("plain", signing_algorithm(), {}));
    const auto attestation = store_->attest("a", secret_);
    ASSERT_TRUE(attestation) << attestation.error().message;
    EXPECT_FALSE(attestation->format.empty());
    EXPECT_FALSE(attestation->signature.empty());
    EXPECT_FALSE(std::ranges::search(attestation->statement, secret_).empty()) << "the nonce";
    EXPECT_EQ(code_of(store_->attest("a", {})), Code::input_invalid);
    EXPECT_EQ(code_of(store_->attest("a", ByteVector(max_nonce_size + 1))), Code::input_invalid);
    EXPECT_EQ(code_of(store_->attest("nobody", secret_)), Code::input_not_found);
    EXPECT_EQ(code_of(store_->attest("plain", secret_)), Code::peer_forbidden);
    EXPECT_EQ(code_of(store_->sign("a", message_, {})), Code::peer_forbidden);
}

TEST_P(Conformance, threads__signing_at_once__every_signature_verifies) {
    ASSERT_TRUE(store_->generate("a", signing_algorithm(), {}));
    const auto spki = store_->public_key("a");
    ASSERT_TRUE(spki);
    const auto key = crypto::PublicKey::from_spki_der(*spki);
    ASSERT_TRUE(key);
    std::atomic<int> good = 0;
    {
        std::vector<std::jthread> threads;
        threads.reserve(4);
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([&] {
                for (int j = 0; j < 4; ++j) {
                    const auto signature = store_->sign("a", message_, {});
                    if (signature && key->verify(message_, *signature)) ++good;
                }
            });
        }
    }
    EXPECT_EQ(good, 16);
}

TEST_P(Conformance, zeroize__everything_in_it__gone_for_good) {
    ASSERT_TRUE(store_->generate("a", signing_algorithm(), {}));
    const auto key_before = store_->public_key("a");
    ASSERT_TRUE(key_before);
    ByteVector blob;
    if (description_.seals) {
        const auto sealed = store_->seal(secret_);
        ASSERT_TRUE(sealed) << sealed.error().message;
        blob = *sealed;
    }
    std::uint64_t count = 0;
    if (description_.counts) {
        ASSERT_TRUE(store_->create_counter("c"));
        const auto value = store_->increment_counter("c");
        ASSERT_TRUE(value);
        count = *value;
    }
    const auto wiped = store_->zeroize();
    ASSERT_TRUE(wiped) << wiped.error().message;
    expect_all_state_wrong();
    if (description_.seals) {
        EXPECT_EQ(code_of(store_->unseal(blob)), Code::state_wrong);
    }
    store_.reset();
    EXPECT_EQ(code_of(fixture_->open()), Code::input_not_found) << "it came back by itself";

    auto again = fixture_->create();
    ASSERT_TRUE(again) << again.error().message;
    store_ = *std::move(again);
    EXPECT_EQ(code_of(store_->public_key("a")), Code::input_not_found);
    if (description_.seals) {
        EXPECT_EQ(code_of(store_->unseal(blob)), Code::integrity_mismatch);
    }
    if (description_.counts) {
        EXPECT_EQ(code_of(store_->read_counter("c")), Code::input_not_found);
        const auto value = store_->create_counter("c");
        ASSERT_TRUE(value) << value.error().message;
        EXPECT_GE(*value, count) << "a counter that was removed and made anew went back";
    }
}

}  // namespace quoin::keys
