#include "agent/est.hpp"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "host/keys/program_key.hpp"
#include "host/tls/status.hpp"
#include "host/x509/csr_attributes.hpp"

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

// RFC 7030, section 4.2.3. Retry-After in seconds; a date, or none, is the default.
Pending pending_of(const net::HttpReply& reply) {
    constexpr unsigned default_s = 60;
    constexpr unsigned most_s = 3600;
    unsigned retry_s = 0;
    const auto said = reply.headers.find("retry-after");
    if (said != reply.headers.end()) {
        const std::string& text = said->second;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), retry_s);
        if (error != std::errc{} || end != text.data() + text.size()) retry_s = 0;
    }
    retry_s = retry_s == 0 ? default_s : std::min(retry_s, most_s);
    return {std::chrono::seconds(retry_s), reason_of(reply)};
}

Result<std::vector<x509::Certificate>> certificates_of(const std::string& body) {
    QUOIN_TRY(const crypto::ByteVector der, crypto::from_base64(body));
    return x509::certificates_from_certs_only(der);
}

bool is_self_issued(const x509::Certificate& certificate) {
    return X509_NAME_cmp(X509_get_subject_name(certificate.native()),
                         X509_get_issuer_name(certificate.native())) == 0;
}

}  // namespace

Result<crypto::Algorithm> choose_algorithm(const std::vector<std::string>& oids, tls::Suite suite,
                                           crypto::Algorithm otherwise) {
    std::string refused;
    for (const std::string& oid : oids) {
        const auto known =
            std::ranges::find(crypto::algorithms(), oid, &crypto::AlgorithmInfo::oid);
        if (known == crypto::algorithms().end()) continue;
        if (tls::is_of_suite(suite, known->algorithm)) return known->algorithm;
        // Of attestation keys, which are not for TLS.
        if (known->algorithm != crypto::Algorithm::slh_dsa_shake_128f) refused = known->name;
    }
    if (refused.empty()) return otherwise;
    return fail(Code::peer_malformed,
                "the plant would have a key of {}, which its suite \"{}\" does not have", refused,
                tls::info(suite).name);
}

Result<EstClient::Way> EstClient::way(const tls::Credentials* as) const {
    QUOIN_TRY(tls::Context context, tls::client_context(suite_, anchors_, tls::Server::quoind, as));
    QUOIN_CHECK(tls::demand_staple(context.get()));
    net::HttpClientOptions options;
    options.base_url = plant_;
    options.tls = context.get();
    options.max_body_bytes = 256 * 1024;
    return Way{std::move(context), std::move(options)};
}

Result<std::string> EstClient::get(const tls::Credentials* as, std::string_view target) const {
    QUOIN_TRY(const Way to, way(as));
    QUOIN_TRY(net::HttpReply reply, net::http_request(to.options, "GET", target));
    if (reply.status != 200) return std::unexpected(error_of(reply, target));
    return std::move(reply.body);
}

Result<crypto::Algorithm> EstClient::algorithm(const tls::Credentials& as,
                                               crypto::Algorithm otherwise) const {
    constexpr std::string_view target = "/.well-known/est/csrattrs";
    QUOIN_TRY(const Way to, way(&as));
    QUOIN_TRY(const net::HttpReply reply, net::http_request(to.options, "GET", target));
    // RFC 7030, section 4.5.2: there are none.
    if (reply.status == 204 || reply.status == 404) return otherwise;
    if (reply.status != 200) return std::unexpected(error_of(reply, target));
    QUOIN_TRY(const crypto::ByteVector der, crypto::from_base64(reply.body));
    QUOIN_TRY(const std::vector<std::string> oids, x509::csr_attributes_from_der(der));
    return choose_algorithm(oids, suite_, otherwise);
}

Result<std::vector<x509::Certificate>> EstClient::ca_certificates() const {
    QUOIN_TRY(const std::string body, get(nullptr, "/.well-known/est/cacerts"));
    return certificates_of(body);
}

Result<std::vector<x509::Certificate>> EstClient::intermediates(
    std::span<const x509::Certificate> anchors) const {
    QUOIN_TRY(const auto all, ca_certificates());
    std::vector<x509::Certificate> found;
    for (const x509::Certificate& ca : all) {
        // Roots, and roots by other roots: no part of a chain that is shown.
        if (is_self_issued(ca)) continue;
        // While the plant migrates, of another root than this one.
        if (x509::verify_chain(ca, {}, anchors, x509::Purpose::any)) found.push_back(ca);
    }
    if (!found.empty()) return found;
    return fail(Code::peer_malformed, "cacerts: no issuing CA of the pinned root among the {}",
                all.size());
}

Result<Answer> EstClient::certificate(Call call, const tls::Credentials& as,
                                      const crypto::PrivateKey& key,
                                      std::string_view common_name) const {
    QUOIN_TRY(const crypto::PublicKey public_key, key.public_key());
    return obtain(
        call, as,
        [&](std::string_view challenge_password) {
            return x509::Request::make_der(key, common_name, challenge_password);
        },
        public_key, keys::residence_of(key));
}

Result<Answer> EstClient::certificate(Call call, const tls::Credentials& as,
                                      const keys::AttestationKey& key,
                                      std::string_view common_name) const {
    const auto sign = [&key](Bytes message) -> Result<crypto::ByteVector> {
        QUOIN_TRY(auto made, key.sign(message));
        return std::move(made.signature);
    };
    return obtain(
        call, as,
        [&](std::string_view challenge_password) {
            return x509::Request::make_der(key.public_key(), sign, common_name, key.quote_key(),
                                           challenge_password);
        },
        key.public_key(), key.residence());
}

Result<Answer> EstClient::obtain(Call call, const tls::Credentials& as,
                                 const MakeRequest& make_request, const crypto::PublicKey& key,
                                 keys::Residence residence) const {
    std::string target =
        call == Call::enroll ? "/.well-known/est/simpleenroll" : "/.well-known/est/simplereenroll";
    target += "?key_residence=";
    for (const char c : keys::residence_name(residence)) {
        target += c == ' ' ? "%20" : std::string(1, c);
    }
    const net::BoundBody body = [&](Bytes tls_exporter) -> Result<std::string> {
        QUOIN_TRY(const std::string der, make_request(crypto::to_base64(tls_exporter)));
        return crypto::to_base64(bytes_of(der));
    };
    QUOIN_TRY(const Way to, way(&as));
    QUOIN_TRY(const net::HttpReply reply,
              net::http_request(to.options, "POST", target, body, "application/pkcs10"));
    if (reply.status == 202) return pending_of(reply);
    if (reply.status != 200) return std::unexpected(error_of(reply, target));
    QUOIN_TRY(const auto certificates, certificates_of(reply.body));
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
    QUOIN_TRY(std::string body, get(&as, "/.well-known/quoin/device"));
    QUOIN_TRY(PlantInfo info, parse_plant_info(body));
    return InfoReply{std::move(info), std::move(body)};
}

}  // namespace quoin::agent
