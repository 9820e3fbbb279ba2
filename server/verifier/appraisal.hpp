// The judgement on one piece of evidence: a pure function of the evidence and what the verifier
// knows.
//
// Reasons and their order: docs/spec/evidence.md. Time: one SLH-DSA verification (3 ms) for each
// valid attestation key, and only if everything that is cheaper holds.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "host/attest/attest.hpp"
#include "server/bus/bus.hpp"
#include "server/verifier/nonces.hpp"

namespace quoin::verifier {

struct AttestationKey {
    crypto::PublicKey key;
    crypto::ByteVector quote_key;  // SPKI of the TPM key that quotes beside it; empty: none
};

// What is known of the device whose topic the evidence came on.
struct Facts {
    std::string device;
    std::string device_class;
    std::uint64_t boot_counter = 0;                // the highest seen
    std::vector<std::string> ldevid_sha3_512;      // hex; of its valid operational certificates
    std::vector<AttestationKey> attestation_keys;  // of its valid attestation certificates
    // It has attested with a TPM, and so must go on with it.
    bool bound = false;
    evidence::Level minimum_level = evidence::Level::self_reported;
    NonceState nonce = NonceState::replayed;
    // Reference values of the release that the evidence names: name -> digest in hex. Empty:
    // unknown.
    std::map<std::string, std::string, std::less<>> references;
};

struct Appraisal {
    server::Verdict verdict = server::Verdict::untrusted;
    std::string reason;
    std::string level;  // what was proven; empty when the signature was not
};

// `opened`: what attest::open_evidence said. NonceState::superseded is not appraised: the caller
// ignores it.
Appraisal appraise(const Result<attest::OpenedEvidence>& opened, const Facts& facts);

std::string_view verdict_name(server::Verdict verdict);
Result<evidence::Level> level_by_name(std::string_view name);

}  // namespace quoin::verifier
