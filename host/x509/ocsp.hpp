// Certificate status (OCSP): questions, answers of a delegated responder, and their strict check.
//
// clang-format off
//   what             limit
//   request          4,096 bytes, 8 certificates
//   nonce            1..128 bytes (ours: 32)
//   response         32 KiB (with ML-DSA-65 about 9.5 KiB)
// clang-format on
//
// Parsers take DER only and refuse bytes behind the end. Signatures of requests are not looked at.
// Source: RFC 6960, RFC 9654 (nonce). Errors: peer_oversize, peer_malformed; others beside their
// function. Threads: values; a request is immutable and shareable.
#pragma once

#include <openssl/ocsp.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "host/crypto/crypto.hpp"
#include "host/x509/certificate.hpp"

namespace quoin::x509 {

inline constexpr std::size_t max_ocsp_request_size = 4096;
inline constexpr std::size_t max_ocsp_response_size = 32U << 10U;
inline constexpr std::size_t max_ocsp_questions = 8;
inline constexpr std::size_t max_ocsp_nonce_size = 128;
inline constexpr std::size_t ocsp_nonce_size = 32;  // of our own requests

class OcspRequest {
public:
    struct Question {
        std::string id;          // DER of the CertID: digest algorithm, issuer, serial
        std::string serial_hex;  // as Certificate::serial_hex()
    };

    // About one certificate, issuer named by SHA-256. `nonce` empty: none.
    static Result<OcspRequest> make(const Certificate& certificate, const Certificate& issuer,
                                    Bytes nonce);
    static Result<OcspRequest> from_der(Bytes der);
    Result<std::string> der() const;
    std::span<const Question> questions() const { return questions_; }
    Bytes nonce() const { return nonce_; }  // empty: none
    // About one certificate, and nothing else in it: its CertID alone says what its bytes are.
    bool is_plain() const { return plain_; }
    // Whether the question is about a certificate that `issuer` issued: name and key, by SHA-1
    // (only a name here: nothing rests on its strength) or SHA-2.
    bool is_about(std::size_t question, const Certificate& issuer) const;
    OCSP_REQUEST* native() const { return request_.get(); }

private:
    explicit OcspRequest(std::shared_ptr<OCSP_REQUEST> request) : request_(std::move(request)) {}
    Result<void> take_questions();
    Result<void> take_extensions();
    std::shared_ptr<OCSP_REQUEST> request_;
    std::vector<Question> questions_;
    crypto::ByteVector nonce_;
    bool plain_ = false;
};

enum class OcspStatus : std::uint8_t { good, revoked, unknown };

struct OcspAnswer {
    OcspStatus status = OcspStatus::unknown;
    std::int64_t revoked_ms = 0;
    int reason = 0;  // CRLReason, RFC 5280, section 5.3.1
    std::int64_t this_update_ms = 0;
    std::int64_t next_update_ms = 0;
};

// The answers to `request`, one for each question, in its order, with its nonce; signed by
// `responder`, whose certificate goes with it.
Result<std::string> sign_ocsp_response(const crypto::PrivateKey& key, const Certificate& responder,
                                       const OcspRequest& request,
                                       std::span<const OcspAnswer> answers);

// An answer that nobody signs (RFC 6960, section 2.3).
enum class OcspRefusal : std::uint8_t {
    malformed_request = 1,
    internal_error = 2,
    try_later = 3,
};
std::string ocsp_refusal(OcspRefusal refusal);

// What a response says about `certificate`, which `issuer` issued. `nonce`: what was asked with;
// empty: none. Believed only if `issuer` signed it, or a responder whose certificate `issuer`
// issued for OCSPSigning, which is valid now and needs no check of its own (ocsp-nocheck); if it is
// for this certificate, has the nonce, and now is between its two times. Errors: state_stale when
// there is no answer for now (a refusal, too old, no nextUpdate); peer_unauthenticated for the
// rest.
Result<OcspAnswer> verify_ocsp_response(Bytes der, const Certificate& certificate,
                                        const Certificate& issuer, Bytes nonce);
// peer_unauthenticated: revoked or unknown, in words.
Result<void> require_good(const OcspAnswer& answer, const Certificate& certificate);

}  // namespace quoin::x509
