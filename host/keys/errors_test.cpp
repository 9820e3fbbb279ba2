#include "host/keys/errors.hpp"

#include <gtest/gtest.h>
#include <p11-kit/pkcs11.h>
#include <tss2/tss2_common.h>
#include <tss2/tss2_tpm2_types.h>

#include <set>

#include "host/keys/open.hpp"

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

Error by_number(ErrorSource source, std::uint64_t value) {
    switch (source) {
        case ErrorSource::tpm:
            return tpm_error(static_cast<std::uint32_t>(value), "doing");
        case ErrorSource::tss:
            return tpm_error(TSS2_TCTI_RC_LAYER | static_cast<std::uint32_t>(value), "doing");
        case ErrorSource::pkcs11:
            return pkcs11_error(value, "doing");
        case ErrorSource::se:
            return se_error(static_cast<std::uint16_t>(value), "its own reason", "doing");
    }
    return {Code::internal, ""};
}

TEST(Errors, whole_table__each_row_once_and_found_with_its_advice) {
    for (const ErrorSource source :
         {ErrorSource::tpm, ErrorSource::tss, ErrorSource::pkcs11, ErrorSource::se}) {
        std::set<std::uint64_t> values;
        std::set<std::string> names;
        ASSERT_GE(error_rows(source).size(), 10U);
        for (const ErrorRow& row : error_rows(source)) {
            SCOPED_TRACE(row.name);
            EXPECT_TRUE(values.insert(row.value).second) << "twice";
            EXPECT_TRUE(names.insert(row.name).second) << "twice";
            EXPECT_GE(std::string_view(row.advice).size(), 9U);
            const Error error = by_number(source, row.value);
            EXPECT_EQ(error.code, row.code);
            EXPECT_TRUE(error.message.starts_with("doing: ")) << error.message;
            EXPECT_NE(error.message.find(row.advice), std::string::npos) << error.message;
        }
    }
}

TEST(Errors, whole_table__authorisation_and_lockout_never_fall_back) {
    // What open_store() falls back for: whoever is refused must not be one of them.
    for (const auto& [source, value] :
         {std::pair{ErrorSource::tpm, std::uint64_t{TPM2_RC_LOCKOUT}},
          std::pair{ErrorSource::tpm, std::uint64_t{TPM2_RC_AUTH_FAIL}},
          std::pair{ErrorSource::tpm, std::uint64_t{TPM2_RC_POLICY_FAIL}},
          std::pair{ErrorSource::pkcs11, std::uint64_t{CKR_PIN_INCORRECT}},
          std::pair{ErrorSource::pkcs11, std::uint64_t{CKR_PIN_LOCKED}},
          std::pair{ErrorSource::se, std::uint64_t{std::to_underlying(Code::peer_forbidden)}},
          std::pair{ErrorSource::se, std::uint64_t{std::to_underlying(Code::peer_too_fast)}}}) {
        EXPECT_FALSE(cannot_be_reached(by_number(source, value).code)) << value;
    }
}

TEST(Errors, se__names_are_those_of_the_codes) {
    for (const ErrorRow& row : error_rows(ErrorSource::se)) {
        EXPECT_EQ(row.name, code_name(row.code));
        EXPECT_EQ(row.value, std::to_underlying(row.code));
    }
    EXPECT_EQ(se_error(0xFFFF, "odd", "x").code, Code::internal);
    EXPECT_EQ(se_error(std::to_underlying(Code::input_unauthenticated), "odd", "x").code,
              Code::internal)
        << "quoin-se asks its clients for no secret";
}

TEST(Errors, any__unknown_number__internal_with_the_number) {
    EXPECT_EQ(pkcs11_error(0x80001234UL, "x").code, Code::internal);
    EXPECT_NE(pkcs11_error(0x80001234UL, "x").message.find("0x80001234"), std::string::npos);
    EXPECT_EQ(tpm_error(0x17F, "x").code, Code::internal);
}

}  // namespace
}  // namespace quoin::keys
