// TPM quotes: the signed statement "these PCRs have these values, now". Needs no TPM.
//
// Source: TPM 2.0 Library part 2, section 10.12 (TPMS_ATTEST). Threads: free functions.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "host/crypto/crypto.hpp"
#include "host/keys/security_provider.hpp"

namespace quoin::keys::tpm {

inline constexpr std::string_view quote_format = "tpm2-quote";
inline constexpr std::size_t max_quote_statement = 1024;  // bytes; about 140 with one bank
inline constexpr std::size_t max_quote_signature = 256;
// Number (0..23) to value, SHA-256 bank.
using PcrValues = std::map<std::uint32_t, std::array<std::uint8_t, 32>>;

// What a quote says of the PCRs.
struct PcrState {
    std::vector<std::uint32_t> pcrs;        // ascending, 0..23
    std::array<std::uint8_t, 32> digest{};  // SHA-256 over their values in that order
    bool operator==(const PcrState&) const = default;
};
Result<PcrState> pcr_state(const PcrValues& values);

struct Quote {
    PcrState state;
    std::uint64_t clock_ms = 0;       // since the TPM was cleared
    std::uint32_t reset_count = 0;    // of TPM resets (reboots)
    std::uint32_t restart_count = 0;  // of resumes since
    std::uint64_t firmware_version = 0;
};

// `attestation_key`: SPKI of a key that is known to be a TPM's own. peer_malformed: no quote;
// peer_replayed: another nonce; integrity_signature: another key, or changed. What it says of the
// PCRs is the caller's to compare: check_state().
Result<Quote> verify_quote(const Attestation& attestation, Bytes attestation_key, Bytes nonce);
// integrity_mismatch: other PCRs, or other values in them.
Result<void> check_state(const PcrState& quoted, const PcrState& expected);

// A signature, and the quote that goes with it: with quote_nonce(message) as its nonce. None: the
// key is bound to no TPM.
struct QuotedSignature {
    ByteVector signature;
    std::optional<Attestation> quote;
};
// The nonce of a quote that belongs to one message, and so is as fresh as that:
// SHA-256("quoin-quote-nonce-v1" | 0 | message).
Result<crypto::Sha256Digest> quote_nonce(Bytes message);
// verify_quote() of one that belongs to `message`: the PCRs that it vouches for.
Result<PcrState> verify_quote_for(Bytes message, Bytes statement, Bytes signature,
                                  Bytes attestation_key);

// A state as a measurement of evidence, beside those of files:
// SHA3-512("quoin-tpm-pcrs-v1" | 0 | u8 count | u8 number of each | digest).
inline constexpr std::string_view measurement_name = "tpm-pcrs";
Result<crypto::Sha3_512Digest> measurement_of(const PcrState& state);

}  // namespace quoin::keys::tpm
