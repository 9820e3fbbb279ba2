// Enrolment over HTTPS: EST (RFC 7030, encodings of RFC 8951) and the device's own description.
//
//   GET  /.well-known/est/cacerts          no certificate needed
//   GET  /.well-known/est/csrattrs         no certificate needed; with one: for that device
//   POST /.well-known/est/simpleenroll     birth certificate of a device in the inventory
//   POST /.well-known/est/simplereenroll   operational certificate, recorded and unrevoked
//   GET  /.well-known/quoin/device         operational certificate
//
// `?key_residence=` says where the device keeps the new key; it is recorded as its claim.
// A request that waits for an operator is answered with 202 and Retry-After; a device asks again
// with the same key. Requests are bound to their TLS connection (RFC 7030, section 3.5, with the
// tls-exporter of RFC 9266), those of foreign clients if they like.
// The request's key decides what is issued (docs/spec/plant.md, "Enrolment"). Refusals are
// text/plain with a reason, and events of the audit log. Each device has a budget of requests of
// its own. Threads: any.
#pragma once

#include <string>

#include "host/audit/audit.hpp"
#include "host/net/http.hpp"
#include "server/pki/authority.hpp"
#include "server/pki/peer_budget.hpp"
#include "server/pki/profile.hpp"
#include "server/pki/registration.hpp"

namespace quoin::server {

// A PKCS#10 in base64 with a key of SLH-DSA-SHAKE-128f, the largest, has 24 KiB.
inline constexpr std::size_t max_est_body_bytes = 64 * 1024;

struct EstOptions {
    std::string site;
    PkiProfile profile;
    std::string broker_host;
    std::uint16_t broker_port;
    std::uint16_t broker_next_port;  // of who has moved, while the plant migrates
    double renew_at;
    std::chrono::seconds retry_after{60};  // of a request that waits for an operator
    double requests_per_s = 1;             // of one device …
    double burst = 20;                     // … after so many at once
};

// What a CSR asks for, from a body in base64. Checks size, form and proof of possession.
Result<x509::Request> parse_enrolment(std::string_view body);
// The certificate profile that the key gives a device of this class.
Result<x509::Profile> profile_of(crypto::Algorithm key, std::string_view device_class,
                                 const PkiProfile& profile);

// Whether a request is bound to the connection with this exporter value; without any binding only
// if it need not be.
Result<void> check_binding(const x509::Request& request, Bytes tls_exporter, bool is_required);

class Est {
public:
    Est(EstOptions options, RegistrationAuthority& registration, Authority& authority,
        audit::Log& audit);

    // For every path under /.well-known/.
    net::HttpResponse handle(const net::HttpRequest& request);

private:
    Result<net::HttpResponse> answer(const net::HttpRequest& request, std::string& device);
    Result<net::HttpResponse> ca_certificates() const;
    Result<net::HttpResponse> csr_attributes(const net::HttpRequest& request);
    Result<Submission> submission(const net::HttpRequest& request, Enrolee enrolee, bool renewal);
    Result<net::HttpResponse> enrol(const net::HttpRequest& request, bool renewal,
                                    std::string& device);
    Result<net::HttpResponse> describe(const net::HttpRequest& request, std::string& device);
    Result<x509::Profile> profile_for(crypto::Algorithm key, const std::string& device_class,
                                      std::span<const x509::Certificate> chain) const;
    Result<Enrolee> renewing_device(const net::HttpRequest& request);

    EstOptions options_;
    RegistrationAuthority& registration_;
    Authority& authority_;
    audit::Log& audit_;
    PeerBudget budget_;  // of each device in the inventory
};

}  // namespace quoin::server
