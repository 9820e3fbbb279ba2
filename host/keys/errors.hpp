// The one table of what TPMs, PKCS#11 tokens and quoin-se answer: the number, its name, our Code,
// and what to do about it, lockouts included.
//
// Sources: TPM 2.0 Library part 2, section 6.6 (response codes), TSS 2.0 Overview, section 3
// (layers); PKCS#11 v3.0, section 5.1; docs/spec/secure_element.md (refusals). Threads: constant
// tables.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "host/error.hpp"

namespace quoin::keys {

// `code`: as tpm2-tss returns it, with its layer; parameter and session numbers are taken off.
// "tpm:swtpm:port=2321: unsealing: TPM_RC_LOCKOUT (0x921): <what to do>".
Error tpm_error(std::uint32_t code, std::string_view doing);

// `value`: a CK_RV.
Error pkcs11_error(unsigned long value, std::string_view doing);

// `code` and `reason`: of quoin-se's refusal. "/run/quoin/se.sock: key \"a\" is not for uid 7 (who
// may do what: ...)". quoin-se locks nobody out but by a key's own policy: peer_too_fast.
Error se_error(std::uint16_t code, std::string_view reason, std::string_view doing);

struct ErrorRow {
    std::uint64_t value;  // the TPM's without layer, parameter, handle and session numbers
    const char* name;
    Code code;
    const char* advice;
};
enum class ErrorSource : std::uint8_t { tpm, tss, pkcs11, se };
std::span<const ErrorRow> error_rows(ErrorSource source);

// The TPM's authorisation failures are locked out: the caller adds for how long.
bool is_tpm_lockout(std::uint32_t code);

}  // namespace quoin::keys
