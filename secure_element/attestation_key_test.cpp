// The "PQ fTPM" with its real parts: an SLH-DSA key in quoin-se, bound to the PCRs of a swtpm.
#include "host/keys/attestation_key.hpp"

#include "host/keys/open.hpp"
#include "host/keys/tpm/store.hpp"
#include "host/keys/tpm/swtpm_fixture.hpp"
#include "host/x509/certificate.hpp"
#include "secure_element/process_fixture.hpp"

namespace quoin::keys {
namespace {

using secure_element::must;

template <class T>
Code code_of(const Result<T>& result) {
    return result ? Code::internal : result.error().code;
}

void no_fallback(std::string_view, std::string_view, const Error& why) {
    ADD_FAILURE() << why.message;
}

class AttestationKeyTest : public testing::Test {
protected:
    void SetUp() override {
        ASSERT_TRUE(element_.start());
        stores_.keys.store = "se:socket=" + element_.socket.string();
        bound_ = {.keys = stores_.keys,
                  .tpm = fmt::format("tpm:tcti={};dir={};pcrs=0,8", swtpm_.tcti(),
                                     (swtpm_.folder() / "keys").string())};
        must(create_store(bound_.tpm));
    }
    std::size_t keys_in_store() {
        return must(must(open_store(stores_.keys.store))->list()).size();
    }

    secure_element::ElementProcess element_;
    tpm::Swtpm swtpm_;
    AttestationStores stores_, bound_;
    const ByteVector message_{1, 2, 3};
    const crypto::Passphrase unlock_{"a passphrase of the test"};
};

TEST_F(AttestationKeyTest, bound__pcrs_as_then__signs_with_a_quote_for_this_message) {
    const auto key = must(AttestationKey::make(bound_, "mpu-1", no_fallback));
    const auto made = key.sign(message_);
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_TRUE(key.public_key().verify(message_, made->signature));
    ASSERT_TRUE(made->quote);
    const auto nonce = must(tpm::quote_nonce(message_));
    const auto quote = tpm::verify_quote(*made->quote, key.quote_key(), nonce);
    ASSERT_TRUE(quote) << quote.error().message;
    EXPECT_EQ(quote->state, key.platform());
    EXPECT_EQ(quote->state, must(tpm::pcr_state(must(tpm::read_pcrs(swtpm_.tcti(), {0, 8})))));
    // Also when both were started again; the file holds a reference and no key.
    const std::string pem = must(key.pem(unlock_));
    EXPECT_TRUE(pem.starts_with("-----BEGIN QUOIN KEY REFERENCE-----"));
    element_.stop();
    ASSERT_TRUE(element_.start());
    swtpm_.restart();
    const auto again = must(AttestationKey::from_pem(pem, unlock_, bound_));
    EXPECT_TRUE(again.check_platform());
    EXPECT_TRUE(again.sign(message_));
    const auto without = must(AttestationKey::from_pem(pem, unlock_, stores_));
    EXPECT_EQ(code_of(without.sign(message_)), Code::config_invalid);
    EXPECT_EQ(code_of(without.check_platform()), Code::integrity_mismatch);
}

TEST_F(AttestationKeyTest, bound__other_pcrs__refused_by_quoin_se_until_they_are_back) {
    const auto key = must(AttestationKey::make(bound_, "mpu-1", no_fallback));
    swtpm_.extend(7);  // none of the key's
    EXPECT_TRUE(key.sign(message_));
    swtpm_.extend(8);
    EXPECT_EQ(code_of(key.check_platform()), Code::integrity_mismatch);
    const auto refused = key.sign(message_);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::integrity_mismatch);
    EXPECT_NE(refused.error().message.find("PCRs 0,8 have other values"), std::string::npos)
        << refused.error().message;
    swtpm_.restart();
    EXPECT_TRUE(key.sign(message_));
}

TEST_F(AttestationKeyTest, bound__tpm_or_quoin_se_away__unavailable_and_never_unbound) {
    const auto key = must(AttestationKey::make(bound_, "mpu-1", no_fallback));
    swtpm_.stop();
    EXPECT_EQ(code_of(key.sign(message_)), Code::resource_unavailable);
    EXPECT_EQ(code_of(AttestationKey::make(bound_, "mpu-1", no_fallback)),
              Code::resource_unavailable);
    swtpm_.restart();
    EXPECT_TRUE(key.sign(message_));
    element_.stop();
    EXPECT_EQ(code_of(key.sign(message_)), Code::resource_unavailable);
    EXPECT_EQ(code_of(AttestationKey::make(stores_, "mpu-1", no_fallback)),
              Code::resource_unavailable);
}

TEST_F(AttestationKeyTest, fallback__quoin_se_away__only_as_configured_and_never_in_production) {
    element_.stop();
    std::vector<std::string> told;
    const auto teller = [&told](std::string_view, std::string_view to, const Error&) {
        told.emplace_back(to);
    };
    stores_.keys.fallbacks = {"software"};
    const auto key = must(AttestationKey::make(stores_, "mpu-1", teller));
    EXPECT_FALSE(key.is_in_store());
    EXPECT_EQ(told, std::vector<std::string>{"software"});
    stores_.keys.production = true;
    EXPECT_EQ(code_of(AttestationKey::make(stores_, "mpu-1", teller)), Code::config_invalid);
}

TEST_F(AttestationKeyTest, request__key_that_only_quoin_se_can_use__proves_possession) {
    const auto key = must(AttestationKey::make(bound_, "mpu-1", no_fallback));
    const auto sign = [&](Bytes message) -> Result<ByteVector> {
        QUOIN_TRY(auto made, key.sign(message));
        return std::move(made.signature);
    };
    const auto der =
        must(x509::Request::make_der(key.public_key(), sign, "mpu-1", key.quote_key()));
    const auto request = x509::Request::from_der(bytes_of(der));
    ASSERT_TRUE(request) << request.error().message;
    EXPECT_EQ(request->common_name(), "mpu-1");
    EXPECT_EQ(must(request->quote_key()), key.quote_key());
    EXPECT_EQ(must(request->public_key().spki_der()), must(key.public_key().spki_der()));
    std::string changed = der;
    changed.back() = static_cast<char>(changed.back() ^ 1);
    EXPECT_EQ(code_of(x509::Request::from_der(bytes_of(changed))), Code::integrity_signature);
}

TEST_F(AttestationKeyTest, remove_others__of_this_owner__only_the_kept_stays) {
    const auto first = must(AttestationKey::make(stores_, "mpu-1", no_fallback));
    const auto kept = must(AttestationKey::make(stores_, "mpu-1", no_fallback));
    const auto neighbour = must(AttestationKey::make(stores_, "mpu-2", no_fallback));
    EXPECT_EQ(keys_in_store(), 3U);
    must(AttestationKey::remove_others(stores_.keys, "mpu-1", &kept.public_key(),
                                       [](std::string_view, const Error&) { FAIL(); }));
    EXPECT_EQ(keys_in_store(), 2U);
    EXPECT_FALSE(first.sign(message_));
    const auto made = kept.sign(message_);
    ASSERT_TRUE(made);
    EXPECT_FALSE(made->quote);
    EXPECT_FALSE(kept.is_bound());
    EXPECT_TRUE(neighbour.sign(message_));
}

TEST_F(AttestationKeyTest, in_this_process__pem__is_encrypted_and_comes_back) {
    const auto key = must(AttestationKey::make({}, "mpu-1", no_fallback));
    const std::string pem = must(key.pem(unlock_));
    EXPECT_TRUE(pem.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
    const auto again = must(AttestationKey::from_pem(pem, unlock_, {}));
    const auto made = must(again.sign(message_));
    EXPECT_TRUE(key.public_key().verify(message_, made.signature));
    EXPECT_FALSE(
        AttestationKey::from_pem("-----BEGIN QUOIN KEY REFERENCE-----\nAAAA\n", unlock_, {}));
}

}  // namespace
}  // namespace quoin::keys
