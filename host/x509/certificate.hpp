// X.509 certificates, requests and revocation lists, on OpenSSL.
//
// Every parser takes at most `max_der_size` bytes, refuses trailing bytes, and never throws.
// Threads: Certificate is immutable and shareable.
#pragma once

#include <openssl/types.h>
#include <openssl/x509.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/crypto/crypto.hpp"
#include "host/x509/identity.hpp"
#include "host/x509/revocation_reason.hpp"

namespace quoin::x509 {

inline constexpr std::size_t max_der_size = 64U << 10U;

class Certificate {
public:
    static Result<Certificate> from_der(Bytes der);
    static Result<Certificate> from_pem(std::string_view pem);  // exactly one
    static Result<std::vector<Certificate>> list_from_pem(std::string_view pem);
    static Result<std::vector<Certificate>> load(const std::filesystem::path& file);
    // Shares: takes a reference of its own.
    explicit Certificate(X509* shared);

    Result<Identity> identity() const;  // no, or more than one, Quoin URI: peer_unauthenticated
    // DNS names and IP addresses of its subjectAltName, as text.
    Result<std::vector<std::string>> server_names() const;
    std::string common_name() const;
    std::string serial_hex() const;      // lower case, even length
    std::int64_t not_before_ms() const;  // UTC milliseconds
    std::int64_t not_after_ms() const;
    bool is_ca() const;  // basicConstraints CA and keyUsage keyCertSign
    Result<crypto::PublicKey> public_key() const;
    // Of an attestation certificate: SPKI of the TPM key whose quotes come with the evidence.
    // Empty: none. Twice: peer_malformed.
    Result<crypto::ByteVector> quote_key() const;
    Result<crypto::ByteVector> der() const;
    Result<std::string> pem() const;
    Result<crypto::Sha256Digest> sha256() const;      // of the DER
    Result<crypto::Sha3_512Digest> sha3_512() const;  // of the DER
    X509* native() const { return certificate_.get(); }

private:
    std::shared_ptr<X509> certificate_;
};

class Request {  // PKCS#10
public:
    // Proves possession by its own signature.
    // `challenge_password`: RFC 2985, section 5.4.1; empty: none.
    static Result<std::string> make_der(const crypto::PrivateKey& key, std::string_view common_name,
                                        std::string_view challenge_password = {});
    // Likewise for a key that is not OpenSSL's to use, of an algorithm whose signature has the
    // object identifier of its key (SLH-DSA). `quote_key`: see Certificate; empty: none.
    using Sign = std::function<Result<crypto::ByteVector>(Bytes message)>;
    static Result<std::string> make_der(const crypto::PublicKey& key, const Sign& sign,
                                        std::string_view common_name, Bytes quote_key,
                                        std::string_view challenge_password = {});
    // Checks size, form and the self-signature (proof of possession).
    static Result<Request> from_der(Bytes der);
    std::string common_name() const;
    const crypto::PublicKey& public_key() const { return public_key_; }
    Result<crypto::ByteVector> der() const;
    Result<crypto::ByteVector> quote_key() const;  // as Certificate's
    // None: no such attribute. More than one, or no text of 1 to 255 bytes: peer_malformed.
    Result<std::optional<std::string>> challenge_password() const;

private:
    Request(std::shared_ptr<X509_REQ> request, crypto::PublicKey key)
        : request_(std::move(request)), public_key_(std::move(key)) {}
    std::shared_ptr<X509_REQ> request_;
    crypto::PublicKey public_key_;
};

enum class Profile : std::uint8_t {
    root,         // CA, path length 1, keyCertSign + cRLSign
    issuing,      // CA, path length 0
    device,       // digitalSignature, clientAuth
    attest,       // digitalSignature only
    server,       // digitalSignature, serverAuth + clientAuth; DNS and IP names
    service,      // digitalSignature, clientAuth
    operator_,    // digitalSignature, clientAuth
    birth_root,   // the manufacturer's CA, path length 0
    birth,        // digitalSignature, clientAuth
    ra,           // digitalSignature, cmcRA (RFC 6402): approves requests for certificates
    ocsp,         // digitalSignature, OCSPSigning, ocsp-nocheck: a delegated responder
    former_root,  // nonRepudiation, no CA: a root that was replaced (cross.hpp)
};

// Where to ask about certificates of an issuer: plain http:// URLs; empty: none.
struct Addresses {
    std::string crl = {};     // CRL distribution point
    std::string ocsp = {};    // authorityInfoAccess, OCSP
    std::string issuer = {};  // authorityInfoAccess, caIssuers: the issuer's certificate, DER
};

struct IssueRequest {
    Profile profile;
    std::string common_name;
    std::optional<Identity> identity;  // none for CAs, now or formerly
    std::vector<std::string> names;    // server: DNS names or IP addresses
    std::chrono::seconds lifetime;
    Addresses addresses = {};
    // CAs: whom it may name, as the host of their URIs (critical name constraint); empty: anybody.
    std::string only_site = {};
    crypto::ByteVector quote_key = {};  // attest: see Certificate; empty: none
};

// Self-signed.
Result<Certificate> issue_root(const crypto::PrivateKey& key, const IssueRequest& request);
// Serial: 128 random bits. SKI, AKI, basicConstraints, keyUsage, extendedKeyUsage by profile.
// notBefore is `clock_skew` in the past; notAfter never passes the issuer's.
inline constexpr std::chrono::seconds clock_skew{60};
Result<Certificate> issue(const crypto::PrivateKey& issuer_key, const Certificate& issuer,
                          const crypto::PublicKey& subject, const IssueRequest& request);

struct Revoked {
    std::string serial_hex;
    std::int64_t revoked_ms;
    Reason reason = Reason::unspecified;
};
Result<std::string> issue_crl_pem(const crypto::PrivateKey& issuer_key, const Certificate& issuer,
                                  std::span<const Revoked> revoked, std::uint64_t number,
                                  std::chrono::seconds lifetime);

enum class Purpose : std::uint8_t { client, server, registration, any };
// Chain from `leaf` over `intermediates` to one of `anchors`, at the current time, and the leaf's
// purpose. `crl_pem`, when not empty, must be fresh, and must not list the leaf. The error says
// what failed, at which certificate.
Result<void> verify_chain(const Certificate& leaf, std::span<const Certificate> intermediates,
                          std::span<const Certificate> anchors, Purpose purpose,
                          std::string_view crl_pem = {});
// The same for any purpose, at the time when `leaf` was issued: for a signature made in its
// lifetime, which may be over. Says nothing about when that signature was made.
Result<void> verify_chain_as_issued(const Certificate& leaf,
                                    std::span<const Certificate> intermediates,
                                    std::span<const Certificate> anchors);

// certs-only CMS (RFC 7030, section 4.1.3), DER.
Result<crypto::ByteVector> certs_only_der(std::span<const Certificate> certificates);
Result<std::vector<Certificate>> certificates_from_certs_only(Bytes der);

}  // namespace quoin::x509
