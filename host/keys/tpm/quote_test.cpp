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
        pcrs_ = *pcrs;
        quote_ = *store_->attest("ak", nonce_);
    }
    Code verdict(const Attestation& attestation) const {
        return code_of(verify_quote(attestation, key_, nonce_, pcrs_));
    }
    Swtpm swtpm_;
    std::unique_ptr<SecurityProvider> store_;
    ByteVector nonce_ = ByteVector(32, 0x42);
    ByteVector key_;
    PcrValues pcrs_;
    Attestation quote_;
};

TEST_F(QuoteTest, verify__as_the_tpm_made_it__says_what_it_says) {
    const auto quote = verify_quote(quote_, key_, nonce_, pcrs_);
    ASSERT_TRUE(quote) << quote.error().message;
    EXPECT_EQ(quote->pcrs, (std::vector<std::uint32_t>{0, 7}));
    EXPECT_NE(quote->firmware_version, 0U);
}

TEST_F(QuoteTest, verify__other_nonce_key_or_pcrs__each_refused_for_its_reason) {
    ByteVector other_nonce = nonce_;
    other_nonce[31] ^= 1;
    EXPECT_EQ(code_of(verify_quote(quote_, key_, other_nonce, pcrs_)), Code::peer_replayed);
    EXPECT_EQ(code_of(verify_quote(quote_, key_, Bytes(nonce_).first(31), pcrs_)),
              Code::peer_replayed);
    EXPECT_EQ(code_of(verify_quote(quote_, key_, {}, pcrs_)), Code::input_invalid);
    const auto other_key = store_->public_key("other");
    ASSERT_TRUE(other_key);
    EXPECT_EQ(code_of(verify_quote(quote_, *other_key, nonce_, pcrs_)), Code::integrity_signature);
    PcrValues fewer = pcrs_;
    fewer.erase(7);
    EXPECT_EQ(code_of(verify_quote(quote_, key_, nonce_, fewer)), Code::integrity_mismatch);
    PcrValues changed = pcrs_;
    changed[7][0] ^= 1;
    EXPECT_EQ(code_of(verify_quote(quote_, key_, nonce_, changed)), Code::integrity_mismatch);
}

TEST_F(QuoteTest, verify__pcr_extended_since__refused) {
    swtpm_.extend(7);
    const auto now = store_->attest("ak", nonce_);
    ASSERT_TRUE(now) << now.error().message;
    EXPECT_EQ(verdict(*now), Code::integrity_mismatch);
    const auto values = read_pcrs(swtpm_.tcti(), {0, 7});
    ASSERT_TRUE(values);
    EXPECT_TRUE(verify_quote(*now, key_, nonce_, *values));
}

TEST_F(QuoteTest, verify__any_byte_changed_or_cut__refused) {
    for (std::size_t i = 0; i < quote_.statement.size(); ++i) {
        Attestation changed = quote_;
        changed.statement[i] ^= 0x01;
        EXPECT_FALSE(verify_quote(changed, key_, nonce_, pcrs_)) << "byte " << i;
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
