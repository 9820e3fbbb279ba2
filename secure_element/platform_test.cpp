// Keys that sign only beside a TPM's quote. The quotes are made here, by a key of ours: what a TPM
// makes is in attestation_key_test.cpp.
#include "host/keys/tpm/test_quote.hpp"
#include "secure_element/element_fixture.hpp"

namespace quoin::secure_element {
namespace {

using namespace keys::se;
using keys::tpm::PcrState;
using keys::tpm::test::quote;

class PlatformTest : public testing::Test {
protected:
    Policy policy() const {
        Policy made{.operations = may_sign};
        made.platform.quote_key.bytes = *tpm.public_key()->spki_der();
        made.platform.pcrs.items = good.pcrs;
        made.platform.pcr_digest = good.digest;
        return made;
    }
    std::optional<Code> sign(const keys::Attestation& beside) {
        return code_of(box.ask(
            user, Sign{{"bound"}, {}, {message}, {{beside.statement}, {beside.signature}}}));
    }

    ElementInProcess box;
    Session user = box.greeted();
    crypto::PrivateKey tpm = *crypto::PrivateKey::generate(crypto::Algorithm::ecdsa_p256);
    PcrState good{.pcrs = {0, 8, 23}, .digest = {1, 2, 3}};
    ByteVector message{1, 2, 3, 4};
};

TEST_F(PlatformTest, sign__quote_for_this_message_and_state__signed_also_after_a_restart) {
    const auto made = box.ask(user, Generate{{"bound"}, Algorithm::slh_dsa_shake_128f, policy()});
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_EQ(sign(quote(message, good, tpm)), std::nullopt);
    box.open();
    user = box.greeted();
    EXPECT_EQ(sign(quote(message, good, tpm)), std::nullopt);
    EXPECT_EQ(sign({}), Code::peer_malformed);
}

TEST_F(PlatformTest, sign__any_other_quote__refused_for_its_reason_and_not_counted) {
    Policy counted = policy();
    counted.max_uses = 1;
    ASSERT_TRUE(box.ask(user, Generate{{"bound"}, Algorithm::ed25519, counted}));
    EXPECT_EQ(sign({}), Code::peer_malformed);
    PcrState other = good;
    other.digest[31] ^= 1;
    EXPECT_EQ(sign(quote(message, other, tpm)), Code::integrity_mismatch);
    PcrState fewer = good;
    fewer.pcrs = {0, 8};
    EXPECT_EQ(sign(quote(message, fewer, tpm)), Code::integrity_mismatch);
    const ByteVector another{1, 2, 3, 5};
    EXPECT_EQ(sign(quote(another, good, tpm)), Code::peer_replayed);
    const auto stranger = *crypto::PrivateKey::generate(crypto::Algorithm::ecdsa_p256);
    EXPECT_EQ(sign(quote(message, good, stranger)), Code::integrity_signature);
    keys::Attestation changed = quote(message, good, tpm);
    changed.statement.back() ^= 1;
    EXPECT_EQ(sign(changed), Code::integrity_signature);
    changed.statement.pop_back();
    EXPECT_EQ(sign(changed), Code::peer_malformed);
    EXPECT_EQ(sign(quote(message, good, tpm)), std::nullopt);  // the one use
    EXPECT_EQ(sign(quote(message, good, tpm)), Code::peer_forbidden);
}

TEST_F(PlatformTest, generate__platform_that_cannot_be__refused) {
    const auto refused = [&](const Policy& wanted) {
        return code_of(box.ask(user, Generate{{"bound"}, Algorithm::ed25519, wanted})) ==
               Code::input_invalid;
    };
    Policy wanted = policy();
    wanted.platform.quote_key.bytes.clear();
    EXPECT_TRUE(refused(wanted));  // PCRs without a key
    wanted.platform.quote_key.bytes =
        *crypto::PrivateKey::generate(crypto::Algorithm::ed25519)->public_key()->spki_der();
    EXPECT_TRUE(refused(wanted));
    for (const auto& pcrs : {std::vector<std::uint32_t>{}, {8, 0}, {0, 0}, {24}}) {
        wanted = policy();
        wanted.platform.pcrs.items = pcrs;
        EXPECT_TRUE(refused(wanted)) << pcrs.size();
    }
    wanted = policy();
    wanted.operations = may_attest;
    EXPECT_TRUE(refused(wanted));
    EXPECT_FALSE(refused(policy()));
}

}  // namespace
}  // namespace quoin::secure_element
