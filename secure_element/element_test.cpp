#include "secure_element/element.hpp"

#include <gmock/gmock.h>
#include <openssl/evp.h>

#include "host/crypto/crypto.hpp"
#include "host/crypto/handles.hpp"
#include "host/files/files.hpp"
#include "secure_element/element_fixture.hpp"

namespace quoin::secure_element {
namespace {

using namespace keys::se;
using KeyHandle = crypto::Handle<EVP_PKEY, EVP_PKEY_free>;
using KeyContextHandle = crypto::Handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;

constexpr std::string_view text = "what is signed";

Policy allowing(unsigned operations) {
    return {.operations = static_cast<std::uint8_t>(operations)};
}
Owned<max_prefix_size> prefix_of(std::string_view prefix) {
    return {{prefix.begin(), prefix.end()}};
}

class ElementTest : public testing::Test {
protected:
    void make(std::string_view name, Algorithm algorithm, const Policy& policy) {
        const auto made = box.ask(user, Generate{{std::string(name)}, algorithm, policy});
        ASSERT_TRUE(made) << made.error().message;
        const Bytes key = made->public_key.bytes;
        public_key.assign(key.begin(), key.end());
    }
    std::optional<Code> sign(Session& who, std::string_view name, std::string_view message = text,
                             std::string_view context = {}) {
        return code_of(
            box.ask(who, Sign{{std::string(name)}, {bytes_of(context)}, {bytes_of(message)}}));
    }

    ElementInProcess box;
    Session user = box.greeted();
    ByteVector public_key;
    static constexpr std::optional<Code> done{};
};

bool openssl_verifies(const char* name, Bytes key, Bytes message, Bytes signature) {
    const KeyHandle native(
        EVP_PKEY_new_raw_public_key_ex(nullptr, name, nullptr, key.data(), key.size()));
    const crypto::DigestContextHandle context(EVP_MD_CTX_new());
    return native &&
           EVP_DigestVerifyInit_ex(context.get(), nullptr, nullptr, nullptr, nullptr, native.get(),
                                   nullptr) == 1 &&
           EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(),
                            message.size()) == 1;
}

TEST_F(ElementTest, sign__every_algorithm_of_openssl__openssl_verifies) {
    int count = 0;
    for (const AlgorithmInfo& algorithm : algorithms()) {
        const bool composite = algorithm.name.ends_with("+Ed25519");
        if (algorithm.kind != Kind::signature || composite) continue;
        SCOPED_TRACE(algorithm.name);
        make(algorithm.name, algorithm.algorithm, allowing(may_sign));
        ASSERT_EQ(public_key.size(), algorithm.public_key_size);
        const auto signature =
            box.ask(user, Sign{{std::string(algorithm.name)}, {}, {bytes_of(text)}});
        ASSERT_TRUE(signature) << signature.error().message;
        EXPECT_EQ(signature->signature.bytes.size(), algorithm.output_size);
        const std::string own(algorithm.name);
        const char* const name = own.c_str();
        EXPECT_TRUE(openssl_verifies(name, public_key, bytes_of(text), signature->signature.bytes));
        EXPECT_FALSE(
            openssl_verifies(name, public_key, bytes_of("other"), signature->signature.bytes));
        ++count;
    }
    EXPECT_EQ(count, 16);
}

TEST_F(ElementTest, decapsulate__each_ml_kem__as_openssl_encapsulated) {
    for (const Algorithm algorithm :
         {Algorithm::ml_kem_512, Algorithm::ml_kem_768, Algorithm::ml_kem_1024}) {
        const std::string name(info(algorithm).name);
        SCOPED_TRACE(name);
        make(name, algorithm, allowing(may_decapsulate));
        const KeyHandle peer(EVP_PKEY_new_raw_public_key_ex(nullptr, name.c_str(), nullptr,
                                                            public_key.data(), public_key.size()));
        const KeyContextHandle context(EVP_PKEY_CTX_new_from_pkey(nullptr, peer.get(), nullptr));
        ByteVector ciphertext(info(algorithm).output_size);
        ByteVector secret(32);
        std::size_t sizes[] = {ciphertext.size(), secret.size()};
        ASSERT_EQ(EVP_PKEY_encapsulate_init(context.get(), nullptr), 1);
        ASSERT_EQ(EVP_PKEY_encapsulate(context.get(), ciphertext.data(), &sizes[0], secret.data(),
                                       &sizes[1]),
                  1);
        const auto ours = box.ask(user, Decapsulate{{name}, {ciphertext}});
        ASSERT_TRUE(ours) << ours.error().message;
        EXPECT_TRUE(std::ranges::equal(ours->secret.expose(), secret));
        EXPECT_EQ(code_of(box.ask(user, Agree{{name}, {}})), Code::peer_forbidden);
        EXPECT_EQ(code_of(box.ask(user, DeriveSession{{name}, {ciphertext}, {}})),
                  Code::peer_forbidden);
    }
}

TEST_F(ElementTest, order__before_hello_and_twice__state_wrong) {
    Session fresh = ElementInProcess::session();
    EXPECT_EQ(code_of(box.ask(fresh, List{})), Code::state_wrong);
    EXPECT_EQ(code_of(box.ask(fresh, Hello{{bytes_of("not a word")}})), Code::input_invalid);
    EXPECT_EQ(code_of(box.ask(fresh, List{})), Code::state_wrong);
    EXPECT_TRUE(box.ask(fresh, Hello{{bytes_of("word")}}));
    EXPECT_EQ(code_of(box.ask(fresh, Hello{{bytes_of("word")}})), Code::state_wrong);
    EXPECT_TRUE(box.ask(fresh, List{}));
}

TEST_F(ElementTest, requests__unknown_cut_longer_or_changed__state_stays) {
    make("key", Algorithm::ed25519, allowing(may_sign));
    const std::string before = box.state();
    EXPECT_EQ(box.refused(user, {}), Code::peer_malformed);
    for (unsigned command = 0; command < 256; ++command) {
        const bool known =
            command == 0x01 || (command >= 0x10 && command <= 0x13) ||
            (command >= 0x20 && command <= 0x22) || (command >= 0x30 && command <= 0x34) ||
            (command >= 0x40 && command <= 0x42) || command == 0x50 || command == 0x60;
        if (known) continue;
        const ByteVector frame{1, static_cast<std::uint8_t>(command), 0, 0, 0, 1};
        EXPECT_EQ(box.refused(user, frame), Code::peer_malformed) << command;
    }
    const auto whole = *write_request(9, Generate{{"other"}, Algorithm::ed25519, allowing(1)});
    ByteVector other_version = whole;
    other_version[0] = 2;
    EXPECT_EQ(box.refused(user, other_version), Code::input_unsupported);
    for (std::size_t size = 0; size < whole.size(); ++size) {
        EXPECT_EQ(box.refused(user, Bytes(whole).first(size)), Code::peer_malformed) << size;
    }
    ByteVector longer = whole;
    longer.push_back(0);
    EXPECT_EQ(box.refused(user, longer), Code::peer_malformed);
    // An AES key that signs, a name with a slash, an algorithm that is none.
    EXPECT_EQ(code_of(box.ask(user, Generate{{"a"}, Algorithm::aes_256_gcm, allowing(may_sign)})),
              Code::input_invalid);
    ByteVector slash = whole;
    slash[7] = '/';
    EXPECT_EQ(box.refused(user, slash), Code::peer_malformed);
    ByteVector algorithm = whole;
    algorithm[head_size + 6] = 0x7F;
    EXPECT_EQ(box.refused(user, algorithm), Code::peer_malformed);
    EXPECT_EQ(box.state(), before);
    // The canary: this harness sees a change.
    make("other", Algorithm::ed25519, allowing(may_sign));
    EXPECT_NE(box.state(), before);
}

TEST_F(ElementTest, policy__prefix_and_context__nothing_else_is_signed) {
    Policy policy = allowing(may_sign);
    policy.prefix = prefix_of("quoin:");
    policy.context_fixed = 1;
    policy.context.bytes = {'c', 't', 'x'};
    make("key", Algorithm::ml_dsa_44, policy);
    EXPECT_EQ(sign(user, "key", "quoin: yes", "ctx"), done);
    EXPECT_EQ(sign(user, "key", "quoin", "ctx"), Code::peer_forbidden);
    EXPECT_EQ(sign(user, "key", "Quoin: no", "ctx"), Code::peer_forbidden);
    EXPECT_EQ(sign(user, "key", "quoin: yes"), Code::peer_forbidden);
    EXPECT_EQ(sign(user, "key", "quoin: yes", "ctx2"), Code::peer_forbidden);
}

TEST_F(ElementTest, policy__who__owner_and_the_named_only) {
    Policy policy = allowing(may_sign);
    policy.uids.items = {1001};
    make("key", Algorithm::ed25519, policy);
    Session named = box.greeted(1001);
    Session stranger = box.greeted(1002);
    Session root = box.greeted(0);
    EXPECT_EQ(sign(user, "key"), done);
    EXPECT_EQ(sign(named, "key"), done);
    EXPECT_EQ(sign(stranger, "key"), Code::peer_forbidden);
    EXPECT_EQ(sign(root, "key"), Code::peer_forbidden) << "administrators remove, they do not use";
    EXPECT_EQ(code_of(box.ask(stranger, Describe{{"key"}})), Code::peer_forbidden);
    EXPECT_EQ(code_of(box.ask(stranger, Remove{{"key"}})), Code::peer_forbidden);
    EXPECT_EQ(code_of(box.ask(named, Remove{{"key"}})), Code::peer_forbidden);
    EXPECT_TRUE(box.ask(stranger, List{})->keys.items.empty());
    EXPECT_EQ(box.ask(root, List{})->keys.items.size(), 1U);
    EXPECT_TRUE(box.ask(root, Remove{{"key"}}));
    EXPECT_EQ(sign(user, "key"), Code::input_not_found);
}

TEST_F(ElementTest, policy__uses_in_all__also_after_a_restart) {
    Policy policy = allowing(may_sign);
    policy.max_uses = 3;
    make("key", Algorithm::ed25519, policy);
    EXPECT_EQ(sign(user, "key"), done);
    EXPECT_EQ(sign(user, "key", text, "Ed25519 has none"), Code::input_invalid) << "not counted";
    EXPECT_EQ(sign(user, "key"), done);
    box.open();
    user = box.greeted();
    EXPECT_EQ(box.ask(user, Describe{{"key"}})->entry.uses, 2U);
    EXPECT_EQ(sign(user, "key"), done);
    EXPECT_EQ(sign(user, "key"), Code::peer_forbidden);
}

TEST_F(ElementTest, policy__uses_a_minute__refilled_with_time) {
    Policy policy = allowing(may_sign);
    policy.max_uses_per_minute = 2;
    make("key", Algorithm::ed25519, policy);
    EXPECT_EQ(sign(user, "key"), done);
    EXPECT_EQ(sign(user, "key"), done);
    EXPECT_EQ(sign(user, "key"), Code::peer_too_fast);
    box.now += std::chrono::seconds(29);
    EXPECT_EQ(sign(user, "key"), Code::peer_too_fast);
    box.now += std::chrono::seconds(2);
    EXPECT_EQ(sign(user, "key"), done);
    box.now += std::chrono::hours(9);
    EXPECT_EQ(sign(user, "key"), done);
    EXPECT_EQ(sign(user, "key"), done);
    EXPECT_EQ(sign(user, "key"), Code::peer_too_fast) << "unused time is not saved up";
}

TEST_F(ElementTest, policy__that_makes_no_sense__input_invalid) {
    const auto refused = [&](Algorithm algorithm, const Policy& policy) {
        return code_of(box.ask(user, Generate{{"key"}, algorithm, policy})) == Code::input_invalid;
    };
    EXPECT_TRUE(refused(Algorithm::ed25519, allowing(0)));
    EXPECT_TRUE(refused(Algorithm::ed25519, allowing(may_decapsulate)));
    EXPECT_TRUE(refused(Algorithm::ed25519, allowing(may_sign | may_attest)));
    EXPECT_TRUE(refused(Algorithm::ed25519, allowing(0x80 | may_sign)));
    EXPECT_TRUE(refused(Algorithm::ml_kem_768, allowing(may_sign)));
    EXPECT_TRUE(refused(Algorithm::x25519, allowing(may_decapsulate)));
    Policy context = allowing(may_sign);
    context.context.bytes = {1};
    EXPECT_TRUE(refused(Algorithm::ml_dsa_44, context)) << "a context that is not fixed";
    context.context_fixed = 2;
    EXPECT_TRUE(refused(Algorithm::ml_dsa_44, context));
    Policy prefix = allowing(may_decapsulate);
    prefix.prefix = prefix_of("p");
    EXPECT_TRUE(refused(Algorithm::ml_kem_512, prefix));
}

TEST_F(ElementTest, sessions__two_elements_agree__each_opens_the_other_only) {
    ElementInProcess other;
    Session peer = other.greeted();
    make("static", Algorithm::x25519, allowing(may_derive));
    const auto ephemeral = other.ask(peer, TakeEphemeral{Algorithm::x25519});
    ASSERT_TRUE(ephemeral);
    const ByteVector their_key(ephemeral->public_key.bytes.begin(),
                               ephemeral->public_key.bytes.end());
    const std::uint64_t theirs = ephemeral->handle;
    const auto here = box.ask(user, DeriveSession{{"static"}, {their_key}, {bytes_of("test")}});
    const auto there =
        other.ask(peer, DeriveSession{{"", theirs}, {public_key}, {bytes_of("test")}});
    ASSERT_TRUE(here && there);
    EXPECT_EQ(code_of(other.ask(peer, DeriveSession{{"", theirs}, {public_key}, {}})),
              Code::input_not_found)
        << "an ephemeral key is for one use";

    const Target ours{"", here->handle};
    const auto sealed = box.ask(user, Seal{ours, {bytes_of("aad")}, {bytes_of(text)}});
    ASSERT_TRUE(sealed);
    const ByteVector message(sealed->sealed.bytes.begin(), sealed->sealed.bytes.end());
    EXPECT_EQ(message.size(), text.size() + max_sealed_overhead);
    const Target far{"", there->handle};
    const auto opened = other.ask(peer, Open{far, {bytes_of("aad")}, {message}});
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_EQ(text_of(opened->plaintext.bytes), text);
    EXPECT_EQ(code_of(other.ask(peer, Open{far, {bytes_of("xyz")}, {message}})),
              Code::integrity_mismatch);
    for (std::size_t i = 0; i < message.size(); ++i) {
        ByteVector changed = message;
        changed[i] ^= 1U;
        EXPECT_EQ(code_of(other.ask(peer, Open{far, {bytes_of("aad")}, {changed}})),
                  Code::integrity_mismatch)
            << i;
    }
    EXPECT_EQ(code_of(box.ask(user, Open{ours, {bytes_of("aad")}, {message}})), Code::peer_replayed)
        << "its own message came back";
    const auto again = box.ask(user, Seal{ours, {bytes_of("aad")}, {bytes_of(text)}});
    EXPECT_FALSE(std::ranges::equal(again->sealed.bytes, message)) << "a counter counts";
    EXPECT_TRUE(box.ask(user, Drop{here->handle}));
    EXPECT_EQ(code_of(box.ask(user, Seal{ours, {}, {}})), Code::input_not_found);
}

TEST_F(ElementTest, sessions__handles_of_another_session__not_found) {
    const auto key = box.ask(user, TakeEphemeral{Algorithm::x25519});
    ASSERT_TRUE(key);
    const std::uint64_t handle = key->handle;
    Session other = box.greeted();
    EXPECT_EQ(code_of(box.ask(other, Agree{{"", handle}, {9}})), Code::input_not_found);
    EXPECT_TRUE(box.ask(user, Agree{{"", handle}, {9}}));
    for (std::size_t i = 0; i < max_handles; ++i) {
        ASSERT_TRUE(box.ask(user, TakeEphemeral{Algorithm::x25519}));
    }
    EXPECT_EQ(code_of(box.ask(user, TakeEphemeral{Algorithm::x25519})), Code::resource_full);
}

TEST_F(ElementTest, agree__key_of_small_order__input_invalid) {
    make("key", Algorithm::x25519, allowing(may_agree));
    EXPECT_EQ(code_of(box.ask(user, Agree{{"key"}, {}})), Code::input_invalid);
}

TEST_F(ElementTest, aes_key__sealed_before_a_restart__opened_after_it) {
    make("blobs", Algorithm::aes_256_gcm, allowing(may_seal));
    EXPECT_TRUE(public_key.empty());
    const auto sealed = box.ask(user, Seal{{"blobs"}, {}, {bytes_of(text)}});
    ASSERT_TRUE(sealed);
    const ByteVector blob(sealed->sealed.bytes.begin(), sealed->sealed.bytes.end());
    box.open();
    user = box.greeted();
    const auto opened = box.ask(user, Open{{"blobs"}, {}, {blob}});
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_EQ(text_of(opened->plaintext.bytes), text);
    EXPECT_EQ(sign(user, "blobs"), Code::peer_forbidden);
}

TEST_F(ElementTest, counters__other_uid_or_restart__only_the_owner_counts) {
    const std::uint64_t first = box.ask(user, CreateCounter{{"c"}})->value;
    EXPECT_EQ(box.ask(user, IncrementCounter{{"c"}})->value, first + 1);
    Session stranger = box.greeted(1002);
    EXPECT_EQ(code_of(box.ask(stranger, IncrementCounter{{"c"}})), Code::peer_forbidden);
    EXPECT_EQ(code_of(box.ask(stranger, CreateCounter{{"c"}})), Code::input_conflict);
    box.open();
    user = box.greeted();
    EXPECT_EQ(box.ask(user, ReadCounter{{"c"}})->value, first + 1);
    EXPECT_EQ(code_of(box.ask(user, ReadCounter{{"d"}})), Code::input_not_found);
}

// By OpenSSL, over this statement and no other, in the context of statements and no other.
void expect_signed(const char* algorithm, const Attest::Reply& made) {
    const Bytes bytes = made.public_key.bytes;
    const crypto::PublicKey key(
        EVP_PKEY_new_raw_public_key_ex(nullptr, algorithm, nullptr, bytes.data(), bytes.size()));
    ASSERT_NE(key.native(), nullptr);
    const Bytes context = bytes_of(attestation_context);
    const Bytes statement = made.statement.bytes;
    EXPECT_TRUE(key.verify(statement, made.signature.bytes, context));
    EXPECT_FALSE(key.verify(statement, made.signature.bytes));
    EXPECT_FALSE(key.verify(statement.first(statement.size() - 1), made.signature.bytes, context));
}

TEST_F(ElementTest, attest__own_key__statement_is_signed_and_true) {
    Policy policy = allowing(may_sign);
    policy.prefix = prefix_of("p");
    make("key", Algorithm::ml_dsa_44, policy);
    ASSERT_TRUE(box.ask(user, CreateCounter{{"c"}}));
    const auto made = box.ask(user, Attest{{}, {bytes_of("nonce")}});
    ASSERT_TRUE(made) << made.error().message;
    expect_signed("ML-DSA-65", *made);
    const auto statement = read_statement(made->statement.bytes, bytes_of("nonce"));
    ASSERT_TRUE(statement) << statement.error().message;
    ASSERT_EQ(statement->keys.items.size(), 1U);
    EXPECT_EQ(statement->keys.items[0].name.text, "key");
    EXPECT_EQ(statement->keys.items[0].policy, policy);
    ASSERT_EQ(statement->counters.items.size(), 1U);
    EXPECT_GT(statement->generation, 2U);
    EXPECT_EQ(code_of(read_statement(made->statement.bytes, bytes_of("other"))),
              Code::peer_replayed);
}

TEST_F(ElementTest, attest__slh_dsa_key__signs_statements_and_nothing_else) {
    make("evidence", Algorithm::slh_dsa_shake_128f, allowing(may_attest));
    EXPECT_EQ(sign(user, "evidence"), Code::peer_forbidden);
    const auto made = box.ask(user, Attest{{bytes_of("evidence")}, {bytes_of("nonce")}});
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_EQ(made->algorithm, Algorithm::slh_dsa_shake_128f);
    EXPECT_TRUE(std::ranges::equal(made->public_key.bytes, public_key));
    expect_signed("SLH-DSA-SHAKE-128f", *made);
    const auto statement = read_statement(made->statement.bytes, bytes_of("nonce"));
    ASSERT_TRUE(statement) << statement.error().message;
    EXPECT_EQ(text_of(statement->key.bytes), "evidence");
}

TEST_F(ElementTest, zeroize__administrator_only__nothing_works_then_or_later) {
    make("key", Algorithm::ed25519, allowing(may_sign));
    EXPECT_EQ(code_of(box.ask(user, Zeroize{})), Code::peer_forbidden);
    EXPECT_EQ(sign(user, "key"), done);
    Session root = box.greeted(0);
    EXPECT_TRUE(box.ask(root, Zeroize{}));
    for (int restart = 0; restart < 2; ++restart) {
        EXPECT_EQ(sign(user, "key"), Code::state_wrong);
        EXPECT_EQ(code_of(box.ask(user, List{})), Code::state_wrong);
        EXPECT_EQ(code_of(box.ask(user, Generate{{"n"}, Algorithm::ed25519, allowing(1)})),
                  Code::state_wrong);
        EXPECT_EQ(code_of(box.ask(user, Attest{{}, {bytes_of("nonce")}})), Code::state_wrong);
        box.open();
        user = box.greeted();
    }
}

TEST_F(ElementTest, zeroize__no_empty_store_can_be_written__what_was_there_is_gone_and_once_more) {
    make("key", Algorithm::ed25519, allowing(may_sign));
    Session root = box.greeted(0);
    // A folder where the new file would be made.
    const auto in_the_way = box.folder() / "store.new";
    ASSERT_TRUE(std::filesystem::create_directory(in_the_way));
    EXPECT_NE(code_of(box.ask(root, Zeroize{})), done);
    EXPECT_EQ(sign(user, "key"), Code::state_wrong);
    const std::string file = *files::read(box.folder() / "store");
    EXPECT_EQ(file, std::string(file.size(), '\0'));
    std::filesystem::remove(in_the_way);
    EXPECT_TRUE(box.ask(root, Zeroize{}));
    box.open();
    user = box.greeted();
    EXPECT_EQ(code_of(box.ask(user, List{})), Code::state_wrong);
}

TEST_F(ElementTest, attest__key_that_is_no_name__refused) {
    EXPECT_EQ(code_of(box.ask(user, Attest{{bytes_of("a\nb")}, {bytes_of("nonce")}})),
              Code::input_invalid);
}

TEST_F(ElementTest, limits__keys_of_one_uid__resource_full) {
    for (std::size_t i = 0; i < max_keys_of_one_uid; ++i) {
        make(fmt::format("k{}", i), Algorithm::aes_256_gcm, allowing(may_seal));
    }
    EXPECT_EQ(code_of(box.ask(user, Generate{{"more"}, Algorithm::aes_256_gcm, allowing(16)})),
              Code::resource_full);
    Session other = box.greeted(1001);
    EXPECT_TRUE(box.ask(other, Generate{{"more"}, Algorithm::aes_256_gcm, allowing(16)}));
}

TEST_F(ElementTest, pool__filled__hands_out_each_pair_once) {
    box.element->pool().start();
    box.element->pool().wait_until_full();
    EXPECT_EQ(box.element->pool().ready(), 4 * pool_size);
    std::set<ByteVector> seen;
    for (std::size_t i = 0; i < 2 * pool_size; ++i) {
        const auto key = box.ask(user, TakeEphemeral{Algorithm::ml_kem_768});
        ASSERT_TRUE(key);
        const Bytes bytes = key->public_key.bytes;
        EXPECT_TRUE(seen.emplace(bytes.begin(), bytes.end()).second);
    }
    EXPECT_EQ(code_of(box.ask(user, TakeEphemeral{Algorithm::ed25519})), Code::input_unsupported);
}

}  // namespace
}  // namespace quoin::secure_element
