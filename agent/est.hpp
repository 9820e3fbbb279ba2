// Enrolment over Secure Transport, the device's side, and what a plant says about itself.
//
// TLS 1.3 of the plant's suite; the server must chain to the anchors, have the URL's name, and show
// that its certificate is not revoked (OCSP staple).
// Errors: peer_forbidden when the plant says no (401, 403; the sentence is the plant's own reason),
// peer_malformed for an answer that cannot be right, resource_unavailable otherwise.
// Source: RFC 7030, sections 4.1 and 4.2; docs/spec/plant.md. Threads: calls block, up to 15 s.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/plant_info.hpp"
#include "host/crypto/crypto.hpp"
#include "host/error.hpp"
#include "host/keys/attestation_key.hpp"
#include "host/net/http.hpp"
#include "host/tls/policy.hpp"
#include "host/x509/certificate.hpp"

namespace quoin::agent {

class EstClient {
public:
    EstClient(std::string plant_url, tls::Suite suite, std::vector<x509::Certificate> anchors)
        : plant_(std::move(plant_url)), suite_(suite), anchors_(std::move(anchors)) {}

    const std::vector<x509::Certificate>& anchors() const { return anchors_; }
    tls::Suite suite() const { return suite_; }

    // The CA certificates that chain to the anchors, without the anchors.
    Result<std::vector<x509::Certificate>> intermediates() const;
    enum class Call : std::uint8_t { enroll, reenroll };
    // One certificate for `key`. Not checked yet but for its key. The plant is told where the key
    // is.
    Result<x509::Certificate> certificate(Call call, const tls::Credentials& as,
                                          const crypto::PrivateKey& key,
                                          std::string_view common_name) const;
    Result<x509::Certificate> certificate(Call call, const tls::Credentials& as,
                                          const keys::AttestationKey& key,
                                          std::string_view common_name) const;
    // The raw answer too, to be kept for a start while the plant is away.
    struct InfoReply {
        PlantInfo info;
        std::string json;
    };
    Result<InfoReply> plant_info(const tls::Credentials& as) const;

private:
    Result<x509::Certificate> obtain(Call call, const tls::Credentials& as,
                                     const std::string& request_der, const crypto::PublicKey& key,
                                     keys::Residence residence) const;
    Result<std::string> request(const tls::Credentials* as, std::string_view method,
                                std::string_view target, std::string_view body = {},
                                std::string_view content_type = {}) const;

    std::string plant_;
    tls::Suite suite_;
    std::vector<x509::Certificate> anchors_;
};

}  // namespace quoin::agent
