#include "host/keys/errors.hpp"

#include <p11-kit/pkcs11.h>
#include <tss2/tss2_common.h>
#include <tss2/tss2_tpm2_types.h>

#include <algorithm>
#include <utility>

namespace quoin::keys {
namespace {

using Row = ErrorRow;

constexpr const char* wrong_authorisation =
    "the authorisation value is wrong; each wrong one counts towards the TPM's lockout";
constexpr const char* platform_differs =
    "the PCRs are not what the key or blob is bound to: boot the software that it was sealed for, "
    "or seal it anew";
constexpr const char* damaged =
    "the blob is damaged, or of another TPM, or of a store that was zeroized";
constexpr const char* tpm_full = "the TPM has no room: remove keys or counters that are not used";
constexpr const char* not_there = "the TPM has no such key or counter: make it, or look at --store";
constexpr const char* try_again = "the TPM is busy: try again";
constexpr const char* cannot = "this TPM does not have that algorithm or command";

// Without layer, and format-one codes without parameter, handle and session numbers.
constexpr Row tpm_rows[] = {
    {TPM2_RC_AUTH_FAIL, "TPM_RC_AUTH_FAIL", Code::input_unauthenticated, wrong_authorisation},
    {TPM2_RC_BAD_AUTH, "TPM_RC_BAD_AUTH", Code::input_unauthenticated,
     "the authorisation value is wrong (owner_auth= for the owner's, auth= for the store's)"},
    {TPM2_RC_AUTH_MISSING, "TPM_RC_AUTH_MISSING", Code::input_unauthenticated,
     "an authorisation is missing: give auth="},
    {TPM2_RC_AUTH_UNAVAILABLE, "TPM_RC_AUTH_UNAVAILABLE", Code::peer_forbidden,
     "the key does not allow this use"},
    {TPM2_RC_NV_AUTHORIZATION, "TPM_RC_NV_AUTHORIZATION", Code::input_unauthenticated,
     "the counter's authorisation is another one"},
    {TPM2_RC_LOCKOUT, "TPM_RC_LOCKOUT", Code::input_unauthenticated,
     "too many wrong authorisations: the TPM is locked. Wait until it forgives one, or, with the "
     "lockout authorisation, run: tpm2_dictionarylockout --clear-lockout"},
    {TPM2_RC_POLICY_FAIL, "TPM_RC_POLICY_FAIL", Code::integrity_mismatch, platform_differs},
    {TPM2_RC_PCR_CHANGED, "TPM_RC_PCR_CHANGED", Code::integrity_mismatch, platform_differs},
    {TPM2_RC_VALUE, "TPM_RC_VALUE", Code::input_invalid, "the TPM does not take a value"},
    {TPM2_RC_INTEGRITY, "TPM_RC_INTEGRITY", Code::integrity_mismatch, damaged},
    {TPM2_RC_SENSITIVE, "TPM_RC_SENSITIVE", Code::integrity_mismatch, damaged},
    {TPM2_RC_BINDING, "TPM_RC_BINDING", Code::integrity_mismatch, damaged},
    {TPM2_RC_SIZE, "TPM_RC_SIZE", Code::integrity_mismatch, damaged},
    {TPM2_RC_INSUFFICIENT, "TPM_RC_INSUFFICIENT", Code::integrity_mismatch, damaged},
    {TPM2_RC_TYPE, "TPM_RC_TYPE", Code::integrity_mismatch, damaged},
    {TPM2_RC_TAG, "TPM_RC_TAG", Code::integrity_mismatch, damaged},
    {TPM2_RC_HANDLE, "TPM_RC_HANDLE", Code::input_not_found, not_there},
    {TPM2_RC_REFERENCE_H0, "TPM_RC_REFERENCE_H0", Code::input_not_found, not_there},
    {TPM2_RC_NV_DEFINED, "TPM_RC_NV_DEFINED", Code::input_conflict,
     "there is one already, or something else uses its handle: remove it, or set handle="},
    {TPM2_RC_NV_UNINITIALIZED, "TPM_RC_NV_UNINITIALIZED", Code::state_wrong,
     "the counter was never incremented"},
    {TPM2_RC_NV_SPACE, "TPM_RC_NV_SPACE", Code::resource_full, tpm_full},
    {TPM2_RC_OBJECT_MEMORY, "TPM_RC_OBJECT_MEMORY", Code::resource_full,
     "too many keys are loaded: use /dev/tpmrm0, which shares the TPM between programs"},
    {TPM2_RC_SESSION_MEMORY, "TPM_RC_SESSION_MEMORY", Code::resource_full,
     "too many sessions are open: use /dev/tpmrm0, which shares the TPM between programs"},
    {TPM2_RC_SESSION_HANDLES, "TPM_RC_SESSION_HANDLES", Code::resource_full,
     "too many sessions are open: use /dev/tpmrm0, which shares the TPM between programs"},
    {TPM2_RC_MEMORY, "TPM_RC_MEMORY", Code::resource_full, tpm_full},
    {TPM2_RC_RETRY, "TPM_RC_RETRY", Code::resource_unavailable, try_again},
    {TPM2_RC_YIELDED, "TPM_RC_YIELDED", Code::resource_unavailable, try_again},
    {TPM2_RC_TESTING, "TPM_RC_TESTING", Code::resource_unavailable, try_again},
    {TPM2_RC_CANCELED, "TPM_RC_CANCELED", Code::resource_unavailable, try_again},
    {TPM2_RC_NV_UNAVAILABLE, "TPM_RC_NV_UNAVAILABLE", Code::resource_unavailable, try_again},
    {TPM2_RC_NV_RATE, "TPM_RC_NV_RATE", Code::resource_unavailable,
     "the TPM spares its memory: write less often"},
    {TPM2_RC_INITIALIZE, "TPM_RC_INITIALIZE", Code::resource_unavailable,
     "nobody has started the TPM: the firmware does it, or swtpm's --flags startup-clear"},
    {TPM2_RC_FAILURE, "TPM_RC_FAILURE", Code::resource_unavailable,
     "the TPM failed its self-test: restart the machine; if it stays so, the TPM is broken"},
    {TPM2_RC_DISABLED, "TPM_RC_DISABLED", Code::config_invalid,
     "the firmware has this disabled: look at its setup"},
    {TPM2_RC_HIERARCHY, "TPM_RC_HIERARCHY", Code::config_invalid,
     "the owner hierarchy is disabled: look at the firmware's setup"},
    {TPM2_RC_COMMAND_CODE, "TPM_RC_COMMAND_CODE", Code::input_unsupported, cannot},
    {TPM2_RC_ASYMMETRIC, "TPM_RC_ASYMMETRIC", Code::input_unsupported, cannot},
    {TPM2_RC_HASH, "TPM_RC_HASH", Code::input_unsupported, cannot},
    {TPM2_RC_SCHEME, "TPM_RC_SCHEME", Code::input_unsupported, cannot},
    {TPM2_RC_CURVE, "TPM_RC_CURVE", Code::input_unsupported, cannot},
    {TPM2_RC_KEY, "TPM_RC_KEY", Code::input_unsupported, "the key is not for this use"},
    {TPM2_RC_ATTRIBUTES, "TPM_RC_ATTRIBUTES", Code::peer_forbidden,
     "the key does not allow this use"},
    {TPM2_RC_TICKET, "TPM_RC_TICKET", Code::peer_forbidden,
     "the key signs only what the TPM itself has made"},
};

// What the TSS says without asking the TPM, whatever its layer.
constexpr Row tss_rows[] = {
    {TSS2_BASE_RC_NO_CONNECTION, "NO_CONNECTION", Code::resource_unavailable,
     "nothing answers there: look at tcti=, and whether the TPM or swtpm runs"},
    {TSS2_BASE_RC_IO_ERROR, "IO_ERROR", Code::resource_unavailable,
     "the connection to the TPM is broken: look at tcti=, and whether the TPM or swtpm runs"},
    {TSS2_BASE_RC_TRY_AGAIN, "TRY_AGAIN", Code::resource_unavailable, try_again},
    {TSS2_BASE_RC_NOT_PERMITTED, "NOT_PERMITTED", Code::peer_forbidden,
     "this user may not use the TPM: put it into the group tss"},
    {TSS2_BASE_RC_NOT_SUPPORTED, "NOT_SUPPORTED", Code::config_invalid, "look at tcti="},
    {TSS2_BASE_RC_BAD_VALUE, "BAD_VALUE", Code::input_invalid,
     "a value is out of range: look at tcti= and handle="},
    {TSS2_BASE_RC_RSP_AUTH_FAILED, "RSP_AUTH_FAILED", Code::integrity_mismatch,
     "the answer is not this TPM's: somebody sits between, or the authorisation is wrong"},
    {TSS2_BASE_RC_MALFORMED_RESPONSE, "MALFORMED_RESPONSE", Code::integrity_mismatch,
     "the answer is not a TPM's"},
    {TSS2_BASE_RC_INSUFFICIENT_RESPONSE, "INSUFFICIENT_RESPONSE", Code::integrity_mismatch,
     "the answer is not a TPM's"},
    {TSS2_BASE_RC_MEMORY, "MEMORY", Code::resource_full, "no memory"},
};

constexpr const char* log_in = "the PIN is missing: give pin=FILE";
constexpr const char* token_gone = "put the token in, or look at module= and token=";
constexpr const char* session_gone = "the session ended: try again";
constexpr const char* not_on_token = "this token cannot do that: use one that can";
constexpr const char* key_forbids = "the key does not allow this use";
constexpr const char* token_full = "the token has no room: remove what is not used";
constexpr const char* not_its_own =
    "the blob is damaged, or of another token, or of a store that was zeroized";

constexpr Row pkcs11_rows[] = {
    {CKR_PIN_INCORRECT, "CKR_PIN_INCORRECT", Code::input_unauthenticated,
     "the PIN in pin=FILE is wrong; each wrong one counts towards a lockout"},
    {CKR_PIN_INVALID, "CKR_PIN_INVALID", Code::input_unauthenticated,
     "the PIN has characters that the token does not take"},
    {CKR_PIN_LEN_RANGE, "CKR_PIN_LEN_RANGE", Code::input_unauthenticated,
     "the PIN is too short or too long for the token"},
    {CKR_PIN_EXPIRED, "CKR_PIN_EXPIRED", Code::input_unauthenticated,
     "the PIN has expired: set a new one with the token's own tool"},
    {CKR_PIN_LOCKED, "CKR_PIN_LOCKED", Code::input_unauthenticated,
     "too many wrong PINs: the token is locked, for good. Its security officer sets a new user PIN "
     "(C_InitPIN: softhsm2-util or pkcs11-tool --init-pin)"},
    {CKR_USER_NOT_LOGGED_IN, "CKR_USER_NOT_LOGGED_IN", Code::input_unauthenticated, log_in},
    {CKR_USER_PIN_NOT_INITIALIZED, "CKR_USER_PIN_NOT_INITIALIZED", Code::input_unauthenticated,
     "the token has no user PIN yet: its security officer sets one"},
    {CKR_USER_ANOTHER_ALREADY_LOGGED_IN, "CKR_USER_ANOTHER_ALREADY_LOGGED_IN",
     Code::input_unauthenticated, "the security officer is logged in: end that session"},
    {CKR_TOKEN_NOT_PRESENT, "CKR_TOKEN_NOT_PRESENT", Code::resource_unavailable, token_gone},
    {CKR_TOKEN_NOT_RECOGNIZED, "CKR_TOKEN_NOT_RECOGNIZED", Code::resource_unavailable, token_gone},
    {CKR_SLOT_ID_INVALID, "CKR_SLOT_ID_INVALID", Code::resource_unavailable, token_gone},
    {CKR_DEVICE_REMOVED, "CKR_DEVICE_REMOVED", Code::resource_unavailable, token_gone},
    {CKR_DEVICE_ERROR, "CKR_DEVICE_ERROR", Code::resource_unavailable,
     "the token failed: pull it and put it in again"},
    {CKR_DEVICE_MEMORY, "CKR_DEVICE_MEMORY", Code::resource_full, token_full},
    {CKR_HOST_MEMORY, "CKR_HOST_MEMORY", Code::resource_full, "no memory"},
    {CKR_SESSION_COUNT, "CKR_SESSION_COUNT", Code::resource_full,
     "too many sessions are open on the token: end other programs that use it"},
    {CKR_SESSION_HANDLE_INVALID, "CKR_SESSION_HANDLE_INVALID", Code::resource_unavailable,
     session_gone},
    {CKR_SESSION_CLOSED, "CKR_SESSION_CLOSED", Code::resource_unavailable, session_gone},
    {CKR_CRYPTOKI_NOT_INITIALIZED, "CKR_CRYPTOKI_NOT_INITIALIZED", Code::resource_unavailable,
     session_gone},
    {CKR_MECHANISM_INVALID, "CKR_MECHANISM_INVALID", Code::input_unsupported, not_on_token},
    {CKR_MECHANISM_PARAM_INVALID, "CKR_MECHANISM_PARAM_INVALID", Code::input_unsupported,
     not_on_token},
    {CKR_CURVE_NOT_SUPPORTED, "CKR_CURVE_NOT_SUPPORTED", Code::input_unsupported, not_on_token},
    {CKR_FUNCTION_NOT_SUPPORTED, "CKR_FUNCTION_NOT_SUPPORTED", Code::input_unsupported,
     not_on_token},
    {CKR_KEY_TYPE_INCONSISTENT, "CKR_KEY_TYPE_INCONSISTENT", Code::peer_forbidden, key_forbids},
    {CKR_KEY_FUNCTION_NOT_PERMITTED, "CKR_KEY_FUNCTION_NOT_PERMITTED", Code::peer_forbidden,
     key_forbids},
    {CKR_ACTION_PROHIBITED, "CKR_ACTION_PROHIBITED", Code::peer_forbidden, key_forbids},
    {CKR_ATTRIBUTE_SENSITIVE, "CKR_ATTRIBUTE_SENSITIVE", Code::peer_forbidden,
     "the token gives no secret out"},
    {CKR_KEY_HANDLE_INVALID, "CKR_KEY_HANDLE_INVALID", Code::input_not_found,
     "the key was removed meanwhile"},
    {CKR_OBJECT_HANDLE_INVALID, "CKR_OBJECT_HANDLE_INVALID", Code::input_not_found,
     "the key was removed meanwhile"},
    {CKR_ENCRYPTED_DATA_INVALID, "CKR_ENCRYPTED_DATA_INVALID", Code::integrity_mismatch,
     not_its_own},
    {CKR_ENCRYPTED_DATA_LEN_RANGE, "CKR_ENCRYPTED_DATA_LEN_RANGE", Code::integrity_mismatch,
     not_its_own},
    {CKR_WRAPPED_KEY_INVALID, "CKR_WRAPPED_KEY_INVALID", Code::integrity_mismatch, not_its_own},
    {CKR_DATA_LEN_RANGE, "CKR_DATA_LEN_RANGE", Code::input_invalid, "the size is wrong"},
    {CKR_TOKEN_WRITE_PROTECTED, "CKR_TOKEN_WRITE_PROTECTED", Code::config_invalid,
     "the token is write-protected"},
    {CKR_SESSION_READ_ONLY, "CKR_SESSION_READ_ONLY", Code::config_invalid,
     "the token is write-protected"},
    {CKR_FIPS_SELF_TEST_FAILED, "CKR_FIPS_SELF_TEST_FAILED", Code::resource_unavailable,
     "the token failed its self-test: it is broken"},
    {CKR_FUNCTION_FAILED, "CKR_FUNCTION_FAILED", Code::resource_unavailable,
     "the module gives no reason: look at its own log"},
    {CKR_GENERAL_ERROR, "CKR_GENERAL_ERROR", Code::resource_unavailable,
     "the module gives no reason: look at its own log"},
};

// What quoin-se refuses with: our own codes, beside its own sentence.
constexpr Row se_row(Code code, const char* name, const char* advice) {
    return {std::to_underlying(code), name, code, advice};
}
constexpr Row se_rows[] = {
    se_row(Code::peer_malformed, "peer_malformed",
           "client and quoin-se are not of the same release: install one"),
    se_row(Code::peer_oversize, "peer_oversize", "it takes less at once: send less"),
    se_row(
        Code::peer_forbidden, "peer_forbidden",
        "who may do what: the key's policy and owner (quoin keys list), and quoin-se's --allow-uid "
        "and --admin-uid"),
    se_row(Code::peer_replayed, "peer_replayed", "ask its sender for a new one"),
    se_row(Code::peer_too_fast, "peer_too_fast",
           "locked out by the key's policy: wait, it allows more each minute"),
    se_row(Code::input_invalid, "input_invalid", "correct what was asked for"),
    se_row(Code::input_not_found, "input_not_found", "quoin keys list shows what there is"),
    se_row(Code::input_conflict, "input_conflict", "take another name, or remove it first"),
    se_row(Code::input_unsupported, "input_unsupported", "quoin keys show lists what it can do"),
    se_row(Code::state_wrong, "state_wrong",
           "one that was zeroized stays so: start another with a new --home"),
    se_row(Code::resource_unavailable, "resource_unavailable", "look at its log and its disk"),
    se_row(Code::resource_full, "resource_full", "remove what is not used, or end other clients"),
    se_row(Code::integrity_mismatch, "integrity_mismatch",
           "it is damaged, or of another key or another quoin-se"),
    se_row(Code::integrity_signature, "integrity_signature",
           "another TPM, or a quote that was changed on its way"),
    se_row(Code::internal, "internal", "a fault of quoin-se: look at its log"),
};

Error describe(std::span<const Row> rows, std::uint64_t key, std::uint64_t shown,
               std::string_view doing, const char* what) {
    const auto row = std::ranges::find(rows, key, &Row::value);
    if (row == rows.end()) {
        return {Code::internal, fmt::format("{}: {} answers {:#x}, which no rule of ours expects",
                                            doing, what, shown)};
    }
    return {row->code, fmt::format("{}: {} ({:#x}): {}", doing, row->name, shown, row->advice)};
}

bool is_of_tpm(std::uint32_t code) {
    const std::uint32_t layer = code & TSS2_RC_LAYER_MASK;
    return layer == TSS2_TPM_RC_LAYER || layer == TSS2_RESMGR_TPM_RC_LAYER;
}

// TPM 2.0 part 2, section 6.6.2: bit 7 marks format one; bits 0..5 are the error, bit 6 and above
// say which parameter, handle or session it is about. In format zero, the handle's number is taken
// off the REFERENCE_Hn.
std::uint32_t without_number(std::uint32_t code) {
    code &= 0xFFFU;
    if ((code & TPM2_RC_FMT1) != 0) return code & 0x0BFU;
    if (code >= TPM2_RC_REFERENCE_H0 && code <= TPM2_RC_REFERENCE_H6) return TPM2_RC_REFERENCE_H0;
    return code;
}

}  // namespace

Error tpm_error(std::uint32_t code, std::string_view doing) {
    if (is_of_tpm(code)) return describe(tpm_rows, without_number(code), code, doing, "the TPM");
    return describe(tss_rows, code & 0xFFFFU, code, doing, "tpm2-tss");
}

Error pkcs11_error(unsigned long value, std::string_view doing) {
    return describe(pkcs11_rows, value, value, doing, "the token's module");
}

Error se_error(std::uint16_t code, std::string_view reason, std::string_view doing) {
    const auto* const row = std::ranges::find(se_rows, code, &Row::value);
    if (row == std::ranges::end(se_rows)) {
        return {Code::internal,
                fmt::format("{}: {} (quoin-se answers {:#x}, which no rule of ours expects)", doing,
                            reason, code)};
    }
    return {row->code, fmt::format("{}: {} ({})", doing, reason, row->advice)};
}

std::span<const ErrorRow> error_rows(ErrorSource source) {
    switch (source) {
        case ErrorSource::tpm:
            return tpm_rows;
        case ErrorSource::tss:
            return tss_rows;
        case ErrorSource::pkcs11:
            return pkcs11_rows;
        case ErrorSource::se:
            return se_rows;
    }
    return {};
}

bool is_tpm_lockout(std::uint32_t code) {
    return is_of_tpm(code) && without_number(code) == TPM2_RC_LOCKOUT;
}

}  // namespace quoin::keys
