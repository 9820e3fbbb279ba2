// The one table of what TPMs and PKCS#11 tokens answer: the number, its name, our Code, and what to
// do about it.
//
// Sources: TPM 2.0 Library part 2, section 6.6 (response codes), TSS 2.0 Overview, section 3
// (layers); PKCS#11 v3.0, section 5.1. Threads: constant tables.
#pragma once

#include <cstdint>
#include <string_view>

#include "host/error.hpp"

namespace quoin::keys {

// `code`: as tpm2-tss returns it, with its layer; parameter and session numbers are taken off.
// "tpm:swtpm:port=2321: unsealing: TPM_RC_LOCKOUT (0x921): <what to do>".
Error tpm_error(std::uint32_t code, std::string_view doing);

// `value`: a CK_RV.
Error pkcs11_error(unsigned long value, std::string_view doing);

// The TPM's authorisation failures are locked out: the caller adds for how long.
bool is_tpm_lockout(std::uint32_t code);

}  // namespace quoin::keys
