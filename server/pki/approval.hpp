// What the registration authority signs when it approves a request for a certificate, and all that
// the CA goes by when it issues one.
//
//   payload = [number, site, device, class, kind, key, quote_key, renewal, by, at_ms, epoch]
//   signed  = ["quoin enrolment approval 1", signer, payload]
//   message = [signer, payload, signature]
//
// Deterministic CBOR (RFC 8949, section 4.2.1). key: SHA-256 of the request's
// SubjectPublicKeyInfo, 32 bytes; quote_key: likewise of the TPM key that it names, empty for none;
// renewal: 0 or 1; signer: serial of the RA's certificate, lower-case hex. Errors: peer_malformed,
// peer_oversize for a message; integrity_signature. Threads: pure functions.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "host/crypto/crypto.hpp"
#include "host/error.hpp"
#include "host/store/group_commit.hpp"

namespace quoin::server {

struct Approval {
    std::int64_t number = 0;  // of the row in `enrolments`, from 1
    std::string site;
    std::string device;
    std::string device_class;
    std::string kind;  // "device" or "attest"
    crypto::Sha256Digest key{};
    crypto::ByteVector quote_key;  // 32 bytes or none
    bool renewal = false;
    std::string by;  // "rule:first", "operator:NAME" …
    std::int64_t at_ms = 0;
    std::int64_t epoch = 0;  // of the device, from 1
    bool operator==(const Approval&) const = default;
};

inline constexpr std::size_t max_approval_size = 32U << 10U;  // an SLH-DSA signature fits

Result<crypto::ByteVector> sign_approval(const Approval& approval, const crypto::PrivateKey& ra_key,
                                         std::string_view signer);

// Parsed, but nobody has checked the signature yet.
class OpenedApproval {
public:
    static Result<OpenedApproval> open(Bytes message);

    const Approval& claims() const { return claims_; }
    const std::string& signer() const { return signer_; }
    Result<void> verify(const crypto::PublicKey& ra_key) const;

private:
    Approval claims_;
    std::string signer_;
    crypto::ByteVector payload_, signature_;
};

// Of an approval that is not in the database yet: the CA writes it in the transaction in which it
// issues by it.
struct Recording {
    store::GroupCommit::Work write = {};
    std::function<void()> written = {};  // called when it is committed
};

// SHA-256 of its SubjectPublicKeyInfo.
Result<crypto::Sha256Digest> key_digest(const crypto::PublicKey& key);

}  // namespace quoin::server
