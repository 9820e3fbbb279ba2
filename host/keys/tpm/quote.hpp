// TPM quotes: the signed statement "these PCRs have these values, now". Needs no TPM.
//
// Source: TPM 2.0 Library part 2, section 10.12 (TPMS_ATTEST). Threads: free functions.
#pragma once

#include <array>
#include <cstdint>
#include <map>

#include "host/crypto/crypto.hpp"
#include "host/keys/security_provider.hpp"

namespace quoin::keys::tpm {

inline constexpr std::string_view quote_format = "tpm2-quote";
// Number (0..23) to value, SHA-256 bank.
using PcrValues = std::map<std::uint32_t, std::array<std::uint8_t, 32>>;

struct Quote {
    std::vector<std::uint32_t> pcrs;  // ascending
    std::array<std::uint8_t, 32> pcr_digest{};
    std::uint64_t clock_ms = 0;       // since the TPM was cleared
    std::uint32_t reset_count = 0;    // of TPM resets (reboots)
    std::uint32_t restart_count = 0;  // of resumes since
    std::uint64_t firmware_version = 0;
};

// SHA-256 over the values in the order of their numbers, as a TPM does it.
Result<std::array<std::uint8_t, 32>> pcr_digest(const PcrValues& values);

// `attestation_key`: SPKI of a key that is known to be a TPM's own. The PCRs must be just those of
// `expected`, with its values. peer_malformed: no quote; peer_replayed: another nonce;
// integrity_signature: another key, or changed; integrity_mismatch: other PCRs or values.
Result<Quote> verify_quote(const Attestation& attestation, Bytes attestation_key, Bytes nonce,
                           const PcrValues& expected);

}  // namespace quoin::keys::tpm
