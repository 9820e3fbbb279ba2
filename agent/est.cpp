#include "agent/est.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "host/keys/program_key.hpp"
#include "host/tls/status.hpp"

namespace quoin::agent {
namespace {

constexpr std::size_t max_reason_bytes = 300;

// The plant's own words: "detail" of an RFC 9457 problem, or the beginning of a text. Printable
// only.
std::string reason_of(const net::HttpReply& reply) {
    std::string reason = reply.body;
    const auto problem = nlohmann::json::parse(reply.body, nullptr, false);
    if (problem.is_object() && problem.contains("detail") && problem["detail"].is_string()) {
        reason = problem["detail"].get<std::string>();
    }
    reason.resize(std::min(reason.size(), max_reason_bytes));
    std::ranges::replace_if(reason, [](unsigned char c) { return c < 0x20 || c > 0x7e; }, '?');
    return reason;
}

Error error_of(const net::HttpReply& reply, std::string_view target) {
    const bool no = reply.status == 401 || reply.status == 403;
    return {no ? Code::peer_forbidden : Code::resource_unavailable,
            fmt::format("{}: the plant answered {}: {}", target, reply.status, reason_of(reply))};
}

Result<std::vector<x509::Certificate>> certificates_of(const std::string& body) {
    QUOIN_TRY(const crypto::ByteVector der, crypto::from_base64(body));
    return x509::certificates_from_certs_only(der);
}

}  // namespace

Result<std::string> EstClient::request(const tls::Credentials* as, std::string_view method,
                                       std::string_view target, std::string_view body,
                                       std::string_view content_type) const {
    QUOIN_TRY(const tls::Context context, tls::client_context(suite_, anchors_, as));
    QUOIN_CHECK(tls::demand_staple(context.get()));
    net::HttpClientOptions options;
    options.base_url = plant_;
    options.tls = context.get();
    options.max_body_bytes = 256 * 1024;
    QUOIN_TRY(net::HttpReply reply, net::http_request(options, method, target, body, content_type));
    if (reply.status != 200) return std::unexpected(error_of(reply, target));
    return std::move(reply.body);
}

Result<std::vector<x509::Certificate>> EstClient::intermediates() const {
    QUOIN_TRY(const std::string body, request(nullptr, "GET", "/.well-known/est/cacerts"));
    QUOIN_TRY(const auto all, certificates_of(body));
    std::vector<x509::Certificate> found;
    for (const x509::Certificate& ca : all) {
        QUOIN_TRY(const auto digest, ca.sha256());
        bool is_anchor = false;
        for (const x509::Certificate& anchor : anchors_) {
            QUOIN_TRY(const auto anchor_digest, anchor.sha256());
            is_anchor |= digest == anchor_digest;
        }
        if (is_anchor) continue;
        QUOIN_CHECK(x509::verify_chain(ca, {}, anchors_, x509::Purpose::any));
        found.push_back(ca);
    }
    return found;
}

Result<x509::Certificate> EstClient::certificate(Call call, const tls::Credentials& as,
                                                 const crypto::PrivateKey& key,
                                                 std::string_view common_name) const {
    QUOIN_TRY(const std::string der, x509::Request::make_der(key, common_name));
    QUOIN_TRY(const crypto::PublicKey public_key, key.public_key());
    return obtain(call, as, der, public_key, keys::residence_of(key));
}

Result<x509::Certificate> EstClient::certificate(Call call, const tls::Credentials& as,
                                                 const keys::AttestationKey& key,
                                                 std::string_view common_name) const {
    const auto sign = [&key](Bytes message) -> Result<crypto::ByteVector> {
        QUOIN_TRY(auto made, key.sign(message));
        return std::move(made.signature);
    };
    QUOIN_TRY(const std::string der,
              x509::Request::make_der(key.public_key(), sign, common_name, key.quote_key()));
    return obtain(call, as, der, key.public_key(), key.residence());
}

Result<x509::Certificate> EstClient::obtain(Call call, const tls::Credentials& as,
                                            const std::string& request_der,
                                            const crypto::PublicKey& key,
                                            keys::Residence residence) const {
    std::string target =
        call == Call::enroll ? "/.well-known/est/simpleenroll" : "/.well-known/est/simplereenroll";
    target += "?key_residence=";
    for (const char c : keys::residence_name(residence)) {
        target += c == ' ' ? "%20" : std::string(1, c);
    }
    QUOIN_TRY(const std::string body,
              request(&as, "POST", target, crypto::to_base64(bytes_of(request_der)),
                      "application/pkcs10"));
    QUOIN_TRY(const auto certificates, certificates_of(body));
    QUOIN_TRY(const crypto::ByteVector wanted_spki, key.spki_der());
    for (const x509::Certificate& certificate : certificates) {
        QUOIN_TRY(const crypto::PublicKey given, certificate.public_key());
        QUOIN_TRY(const crypto::ByteVector given_spki, given.spki_der());
        if (given_spki == wanted_spki) return certificate;
    }
    return fail(Code::peer_malformed,
                "{}: none of the {} certificates in the answer is for our key", target,
                certificates.size());
}

Result<EstClient::InfoReply> EstClient::plant_info(const tls::Credentials& as) const {
    QUOIN_TRY(std::string body, request(&as, "GET", "/.well-known/quoin/device"));
    QUOIN_TRY(PlantInfo info, parse_plant_info(body));
    return InfoReply{std::move(info), std::move(body)};
}

}  // namespace quoin::agent
