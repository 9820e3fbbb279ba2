// Enrolment over Secure Transport, the device's side, and what a plant says about itself.
//
// TLS 1.3 of the plant's suite; the server must chain to the anchors, have the URL's name, and show
// that its certificate is not revoked (OCSP staple).
// Errors: peer_forbidden when the plant says no (401, 403; the sentence is the plant's own reason),
// peer_malformed for an answer that cannot be right, resource_unavailable otherwise.
// Each request for a certificate is bound to its connection (RFC 7030, section 3.5, with the
// tls-exporter of RFC 9266). Source: RFC 7030, sections 4.1, 4.2 and 4.5; docs/spec/plant.md.
// Threads: calls block, up to 15 s.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "agent/plant_info.hpp"
#include "host/crypto/crypto.hpp"
#include "host/error.hpp"
#include "host/keys/attestation_key.hpp"
#include "host/net/http.hpp"
#include "host/tls/policy.hpp"
#include "host/x509/certificate.hpp"

namespace quoin::agent {

// The plant has the request, and nobody has decided about it: to be asked again with the same key.
struct Pending {
    std::chrono::seconds retry_after;
    std::string words;  // the plant's
};
using Answer = std::variant<x509::Certificate, Pending>;

// The first of these key algorithms (OIDs, as csrattrs has them) that peers of the suite show
// certificates with; `otherwise` if none is of any algorithm known here. peer_malformed: all that
// are known are outside the suite.
Result<crypto::Algorithm> choose_algorithm(const std::vector<std::string>& oids, tls::Suite suite,
                                           crypto::Algorithm otherwise);

class EstClient {
public:
    EstClient(std::string plant_url, tls::Suite suite, std::vector<x509::Certificate> anchors)
        : plant_(std::move(plant_url)), suite_(suite), anchors_(std::move(anchors)) {}

    const std::vector<x509::Certificate>& anchors() const { return anchors_; }
    tls::Suite suite() const { return suite_; }

    // The CA certificates that the plant gives: of them nothing is checked yet.
    Result<std::vector<x509::Certificate>> ca_certificates() const;
    // The issuing CAs among them that chain to `anchors`.
    Result<std::vector<x509::Certificate>> intermediates(
        std::span<const x509::Certificate> anchors) const;
    enum class Call : std::uint8_t { enroll, reenroll };
    // The algorithm that the plant would have for a session key; `otherwise` if it says nothing.
    Result<crypto::Algorithm> algorithm(const tls::Credentials& as,
                                        crypto::Algorithm otherwise) const;
    // One certificate for `key`. Not checked yet but for its key. The plant is told where the key
    // is.
    Result<Answer> certificate(Call call, const tls::Credentials& as, const crypto::PrivateKey& key,
                               std::string_view common_name) const;
    Result<Answer> certificate(Call call, const tls::Credentials& as,
                               const keys::AttestationKey& key, std::string_view common_name) const;
    // The raw answer too, to be kept for a start while the plant is away.
    struct InfoReply {
        PlantInfo info;
        std::string json;
    };
    Result<InfoReply> plant_info(const tls::Credentials& as) const;

private:
    // DER of the request with this challengePassword.
    using MakeRequest = std::function<Result<std::string>(std::string_view challenge_password)>;
    Result<Answer> obtain(Call call, const tls::Credentials& as, const MakeRequest& make_request,
                          const crypto::PublicKey& key, keys::Residence residence) const;
    Result<std::string> get(const tls::Credentials* as, std::string_view target) const;
    // What http_request() needs, and the context that it borrows.
    struct Way {
        tls::Context context;
        net::HttpClientOptions options;
    };
    Result<Way> way(const tls::Credentials* as) const;

    std::string plant_;
    tls::Suite suite_;
    std::vector<x509::Certificate> anchors_;
};

}  // namespace quoin::agent
