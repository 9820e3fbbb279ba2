#include "host/keys/tpm/quote.hpp"

#include <gtest/gtest.h>

#include "host/keys/tpm/store.hpp"
#include "host/keys/tpm/swtpm_fixture.hpp"

namespace quoin::keys::tpm {
namespace {

template <class T>
Code code_of(const Result<T>& result) {
    return result ? Code::internal : result.error().code;
}

class QuoteTest : public testing::Test {
protected:
    void SetUp() override {
        Config config;
        config.tcti = swtpm_.tcti();
        config.folder = swtpm_.folder() / "keys";
        config.pcrs = {0, 7};
        auto created = create(std::move(config));
        ASSERT_TRUE(created) << created.error().message;
        store_ = *std::move(created);
        UsePolicy policy;
        policy.attestation_only = true;
        ASSERT_TRUE(store_->generate("ak", "ECDSA-P256", policy));
        ASSERT_TRUE(store_->generate("other", "ECDSA-P256", policy));
        key_ = *store_->public_key("ak");
        auto pcrs = read_pcrs(swtpm_.tcti(), {0, 7});
        ASSERT_TRUE(pcrs) << pcrs.error().message;
        state_ = *pcr_state(*pcrs);
        quote_ = *store_->attest("ak", nonce_);
    }
    Code verdict(const Attestation& attestation) const {
        const auto quote = verify_quote(attestation, key_, nonce_);
        if (!quote) return quote.error().code;
        return code_of(check_state(quote->state, state_));
    }
    Swtpm swtpm_;
    std::unique_ptr<SecurityProvider> store_;
    ByteVector nonce_ = ByteVector(32, 0x42);
    ByteVector key_;
    PcrState state_;
    Attestation quote_;
};

TEST_F(QuoteTest, verify__as_the_tpm_made_it__says_what_it_says) {
    const auto quote = verify_quote(quote_, key_, nonce_);
    ASSERT_TRUE(quote) << quote.error().message;
    EXPECT_EQ(quote->state, state_);
    EXPECT_EQ(quote->state.pcrs, (std::vector<std::uint32_t>{0, 7}));
    EXPECT_NE(quote->firmware_version, 0U);
}

TEST_F(QuoteTest, verify__other_nonce_key_or_pcrs__each_refused_for_its_reason) {
    ByteVector other_nonce = nonce_;
    other_nonce[31] ^= 1;
    EXPECT_EQ(code_of(verify_quote(quote_, key_, other_nonce)), Code::peer_replayed);
    EXPECT_EQ(code_of(verify_quote(quote_, key_, Bytes(nonce_).first(31))), Code::peer_replayed);
    EXPECT_EQ(code_of(verify_quote(quote_, key_, {})), Code::input_invalid);
    const auto other_key = store_->public_key("other");
    ASSERT_TRUE(other_key);
    EXPECT_EQ(code_of(verify_quote(quote_, *other_key, nonce_)), Code::integrity_signature);
    PcrState fewer = state_;
    fewer.pcrs.pop_back();
    EXPECT_EQ(code_of(check_state(state_, fewer)), Code::integrity_mismatch);
    PcrState changed = state_;
    changed.digest[0] ^= 1;
    EXPECT_EQ(code_of(check_state(state_, changed)), Code::integrity_mismatch);
}

TEST_F(QuoteTest, verify__pcr_extended_since__refused) {
    swtpm_.extend(7);
    const auto now = store_->attest("ak", nonce_);
    ASSERT_TRUE(now) << now.error().message;
    EXPECT_EQ(verdict(*now), Code::integrity_mismatch);
    const auto values = read_pcrs(swtpm_.tcti(), {0, 7});
    ASSERT_TRUE(values);
    const auto quote = verify_quote(*now, key_, nonce_);
    ASSERT_TRUE(quote) << quote.error().message;
    EXPECT_TRUE(check_state(quote->state, *pcr_state(*values)));
}

TEST(quote, measurement_and_nonce__by_hand__same) {
    const PcrState state{.pcrs = {0, 7}, .digest = {1, 2, 3}};
    ByteVector by_hand(bytes_of("quoin-tpm-pcrs-v1").begin(), bytes_of("quoin-tpm-pcrs-v1").end());
    by_hand.insert(by_hand.end(), {0, 2, 0, 7});
    by_hand.insert(by_hand.end(), state.digest.begin(), state.digest.end());
    EXPECT_EQ(*measurement_of(state), *crypto::sha3_512(by_hand));
    ByteVector message(bytes_of("quoin-quote-nonce-v1").begin(),
                       bytes_of("quoin-quote-nonce-v1").end());
    message.insert(message.end(), {0, 'm'});
    EXPECT_EQ(*quote_nonce(bytes_of("m")), *crypto::sha256(message));
}

TEST_F(QuoteTest, verify__any_byte_changed_or_cut__refused) {
    for (std::size_t i = 0; i < quote_.statement.size(); ++i) {
        Attestation changed = quote_;
        changed.statement[i] ^= 0x01;
        EXPECT_FALSE(verify_quote(changed, key_, nonce_)) << "byte " << i;
        changed.statement.resize(i);
        EXPECT_EQ(verdict(changed), Code::peer_malformed) << "cut at " << i;
    }
    for (std::size_t i = 0; i < quote_.signature.size(); ++i) {
        Attestation changed = quote_;
        changed.signature[i] ^= 0x01;
        EXPECT_EQ(verdict(changed), Code::integrity_signature) << "byte " << i;
    }
    Attestation longer = quote_;
    longer.statement.push_back(0);
    EXPECT_EQ(verdict(longer), Code::peer_malformed);
    Attestation renamed = quote_;
    renamed.format = "quoin-se";
    EXPECT_EQ(verdict(renamed), Code::peer_malformed);
}

}  // namespace
}  // namespace quoin::keys::tpm
