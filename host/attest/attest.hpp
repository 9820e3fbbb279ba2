// Attestation on hosts: the challenge, and evidence signed with SLH-DSA-SHAKE-128f. Used by the
// agent that answers and by the verifier that asks. Byte page: docs/spec/evidence.md.
//
// Threads: pure functions; OpenedEvidence is immutable. Time: signing about 40 ms, verifying 3 ms.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/evidence/evidence.hpp"
#include "host/crypto/crypto.hpp"
#include "host/error.hpp"
#include "host/keys/tpm/quote.hpp"

namespace quoin::attest {

inline constexpr std::size_t max_challenge_size = 512;
inline constexpr std::int64_t max_timeout_ms = 24 * 3600 * 1000;

using Nonce = std::array<std::uint8_t, evidence::nonce_size>;

// The payload of attest/challenge.
struct Challenge {
    Nonce nonce{};
    std::int64_t issued_ms = 0;   // UTC, the verifier's clock
    std::int64_t timeout_ms = 0;  // 1 ms .. 1 day: an answer after this is late
};

std::string encode_challenge(const Challenge& challenge);
// Unknown, missing or repeated keys, wrong types or ranges: peer_malformed, naming the key; over
// max_challenge_size: peer_oversize, before parsing.
Result<Challenge> decode_challenge(std::string_view json);

// A device's attestation key: SLH-DSA-SHAKE-128f, and the quote of the TPM that it is bound to.
using Sign = std::function<Result<keys::tpm::QuotedSignature>(Bytes message)>;
// By a key in this process; `key` outlives it. Of another algorithm: it answers input_invalid.
Sign sign_with(const crypto::PrivateKey& key);

// The message for attest/evidence.
Result<crypto::ByteVector> sign_evidence(const evidence::Claims& claims, const Sign& sign);

// Evidence that was parsed, but whose signature nobody has checked yet.
class OpenedEvidence {
public:
    // Views into this object.
    const evidence::Claims& claims() const { return parts_->claims; }
    bool has_quote() const { return !parts_->message.quote.statement.empty(); }
    // The PCRs that the TPM with this quote key (SPKI) vouches for, in a quote for just these
    // claims. Errors: keys::tpm::verify_quote(); without a quote peer_malformed.
    Result<keys::tpm::PcrState> verify_quote(Bytes quote_key) const;
    // That the attestation key `key` signed these claims for the device that they name:
    // integrity_signature if not.
    Result<void> verify(const crypto::PublicKey& key) const;

private:
    friend Result<OpenedEvidence> open_evidence(Bytes bytes);
    Result<crypto::ByteVector> signed_part() const;
    struct Parts {
        crypto::ByteVector bytes;
        evidence::Message message;
        evidence::MeasurementStorage storage;
        evidence::Claims claims;
    };
    explicit OpenedEvidence(std::shared_ptr<const Parts> parts) : parts_(std::move(parts)) {}
    std::shared_ptr<const Parts> parts_;
};

// Parses, without cryptography. peer_oversize, peer_unauthenticated (not signed) or peer_malformed.
Result<OpenedEvidence> open_evidence(Bytes bytes);

}  // namespace quoin::attest
