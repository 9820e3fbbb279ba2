#include "host/keys/errors.hpp"

#include <gtest/gtest.h>
#include <p11-kit/pkcs11.h>
#include <tss2/tss2_common.h>
#include <tss2/tss2_tpm2_types.h>

namespace quoin::keys {
namespace {

TEST(Errors, tpm__numbered_codes__found_by_what_they_say) {
    EXPECT_EQ(tpm_error(TPM2_RC_AUTH_FAIL | TPM2_RC_S | TPM2_RC_1, "x").code,
              Code::input_unauthenticated);
    EXPECT_EQ(tpm_error(TPM2_RC_POLICY_FAIL | TPM2_RC_S | TPM2_RC_1, "x").code,
              Code::integrity_mismatch);
    EXPECT_EQ(tpm_error(TPM2_RC_INTEGRITY | TPM2_RC_P | TPM2_RC_1, "x").code,
              Code::integrity_mismatch);
    EXPECT_EQ(tpm_error(TPM2_RC_HANDLE | TPM2_RC_H | TPM2_RC_2, "x").code, Code::input_not_found);
    EXPECT_EQ(tpm_error(TPM2_RC_REFERENCE_H3, "x").code, Code::input_not_found);
}

TEST(Errors, tpm__resource_manager_layer__the_same_meaning) {
    EXPECT_EQ(tpm_error(TSS2_RESMGR_TPM_RC_LAYER | TPM2_RC_LOCKOUT, "x").code,
              Code::input_unauthenticated);
    EXPECT_TRUE(is_tpm_lockout(TSS2_RESMGR_TPM_RC_LAYER | TPM2_RC_LOCKOUT));
    EXPECT_FALSE(is_tpm_lockout(TSS2_TCTI_RC_LAYER | TPM2_RC_LOCKOUT));
    EXPECT_FALSE(is_tpm_lockout(TPM2_RC_AUTH_FAIL));
}

TEST(Errors, tss__no_connection__unavailable_and_says_where_to_look) {
    const Error error = tpm_error(TSS2_TCTI_RC_IO_ERROR, "unsealing");
    EXPECT_EQ(error.code, Code::resource_unavailable);
    EXPECT_TRUE(error.message.starts_with("unsealing: IO_ERROR")) << error.message;
    EXPECT_NE(error.message.find("tcti="), std::string::npos);
}

TEST(Errors, pkcs11__lockout__says_who_ends_it) {
    const Error error = pkcs11_error(CKR_PIN_LOCKED, "logging in");
    EXPECT_EQ(error.code, Code::input_unauthenticated);
    EXPECT_NE(error.message.find("security officer"), std::string::npos) << error.message;
    EXPECT_EQ(pkcs11_error(CKR_PIN_INCORRECT, "x").code, Code::input_unauthenticated);
    EXPECT_EQ(pkcs11_error(CKR_TOKEN_NOT_PRESENT, "x").code, Code::resource_unavailable);
}

TEST(Errors, any__unknown_number__internal_with_the_number) {
    EXPECT_EQ(pkcs11_error(0x80001234UL, "x").code, Code::internal);
    EXPECT_NE(pkcs11_error(0x80001234UL, "x").message.find("0x80001234"), std::string::npos);
    EXPECT_EQ(tpm_error(0x17F, "x").code, Code::internal);
}

}  // namespace
}  // namespace quoin::keys
