#include "server/pki/est.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>

#include "host/keys/security_provider.hpp"
#include "host/x509/csr_attributes.hpp"
#include "server/bus/clock.hpp"

namespace quoin::server {
namespace {

using net::HttpRequest;
using net::HttpResponse;

constexpr std::string_view est_prefix = "/.well-known/est/";

HttpResponse plain(int status, std::string_view text) {
    return {.status = status,
            .content_type = "text/plain; charset=utf-8",
            .body = std::string(text) + "\n"};
}

Result<HttpResponse> certs_only(std::span<const x509::Certificate> certificates,
                                bool reply_to_enrolment) {
    QUOIN_TRY(const crypto::ByteVector der, x509::certs_only_der(certificates));
    return HttpResponse{.content_type = reply_to_enrolment
                                            ? "application/pkcs7-mime; smime-type=certs-only"
                                            : "application/pkcs7-mime",
                        .body = crypto::to_base64(der) + "\n",
                        .headers = {{"Content-Transfer-Encoding", "base64"}}};
}

bool is_pkcs10(std::string_view content_type) {
    return content_type.substr(0, content_type.find(';')) == "application/pkcs10";
}

// The device's word; empty if it says nothing.
Result<std::string> key_residence_of(const HttpRequest& request) {
    const auto said = request.query.find("key_residence");
    if (said == request.query.end()) return std::string();
    if (keys::residence_by_name(said->second)) return said->second;
    return fail(Code::peer_malformed,
                "key_residence is \"best effort\", \"separate process\" or \"hardware\"");
}

}  // namespace

Result<x509::Request> parse_enrolment(std::string_view body) {
    if (body.size() > max_est_body_bytes) {
        return fail(Code::peer_oversize, "the request is longer than {} bytes", max_est_body_bytes);
    }
    const auto der = crypto::from_base64(body);
    if (!der) return fail(Code::peer_malformed, "the body is not base64: {}", der.error().message);
    auto request = x509::Request::from_der(*der);
    if (!request) {
        return fail(request.error().code, "the certificate request: {}", request.error().message);
    }
    return request;
}

Result<x509::Profile> profile_of(crypto::Algorithm key, std::string_view device_class,
                                 const PkiProfile& profile) {
    const PkiProfile::Algorithms& keys = profile.algorithms;
    if (device_class == "mcu" && key == keys.mcu) return x509::Profile::device;
    if (device_class == "mpu" && key == keys.mpu) return x509::Profile::device;
    if (device_class == "mpu" && key == crypto::Algorithm::slh_dsa_shake_128f) {
        return x509::Profile::attest;
    }
    return fail(Code::peer_forbidden,
                "a device of class {} gets no certificate for a key of {}; it needs {}",
                device_class, crypto::info(key).name,
                crypto::info(device_class == "mcu" ? keys.mcu : keys.mpu).name);
}

Result<void> check_binding(const x509::Request& request, Bytes tls_exporter, bool is_required) {
    QUOIN_TRY(const std::optional<std::string> password, request.challenge_password());
    if (!password && !is_required) return {};
    if (!password) {
        return fail(Code::peer_forbidden,
                    "the request must be bound to its TLS connection: challengePassword with the "
                    "tls-exporter value of RFC 9266 in base64");
    }
    if (!tls_exporter.empty() && *password == crypto::to_base64(tls_exporter)) return {};
    return fail(Code::peer_forbidden, "the request is bound to another TLS connection");
}

Est::Est(EstOptions options, RegistrationAuthority& registration, Authority& authority,
         audit::Log& audit)
    : options_(std::move(options)),
      registration_(registration),
      authority_(authority),
      audit_(audit),
      budget_(options_.requests_per_s, options_.burst) {}

HttpResponse Est::handle(const HttpRequest& request) {
    std::string device;
    auto answered = answer(request, device);
    if (answered) return *std::move(answered);
    const Error& error = answered.error();
    std::string serial;
    if (!request.client_chain.empty()) {
        serial = request.client_chain.front().serial_hex();
        // Not on the inventory: the name that its certificate, of a CA known here, gives it.
        const auto claimed = request.client_chain.front().identity();
        if (device.empty() && claimed && claimed->kind == x509::Kind::birth) device = claimed->id;
    }
    audit_.append(audit::Id::pki_enrolment_refused, device,
                  {{"path", request.path},
                   {"peer", request.remote},
                   {"serial", serial},
                   {"reason", error.message}});
    // What is wrong inside the server is in its log, not in an answer.
    const bool ours = http_status(error.code) >= 500;
    HttpResponse response = plain(
        http_status(error.code), ours ? "the server cannot do this now; try again" : error.message);
    if (response.status == 429 || ours) response.headers.emplace_back("Retry-After", "5");
    return response;
}

Result<HttpResponse> Est::answer(const HttpRequest& request, std::string& device) {
    struct Route {
        std::string_view path;
        std::string_view method;
    };
    constexpr std::array routes{Route{"/.well-known/est/cacerts", "GET"},
                                Route{"/.well-known/est/csrattrs", "GET"},
                                Route{"/.well-known/est/simpleenroll", "POST"},
                                Route{"/.well-known/est/simplereenroll", "POST"},
                                Route{"/.well-known/quoin/device", "GET"}};
    const auto route = std::ranges::find(routes, request.path, &Route::path);
    if (route == routes.end()) {
        return plain(404,
                     fmt::format("there is nothing here; {} has cacerts, csrattrs, simpleenroll, "
                                 "simplereenroll",
                                 est_prefix));
    }
    if (request.method != route->method) {
        HttpResponse response = plain(405, fmt::format("use {}", route->method));
        response.headers.emplace_back("Allow", route->method);
        return response;
    }
    if (route->path.ends_with("cacerts")) return ca_certificates();
    if (route->path.ends_with("csrattrs")) return csr_attributes(request);
    if (route->path.ends_with("device")) return describe(request, device);
    return enrol(request, route->path.ends_with("simplereenroll"), device);
}

Result<HttpResponse> Est::ca_certificates() const {
    return certs_only(authority_.ca_certificates(), false);
}

Result<Enrolee> Est::renewing_device(const HttpRequest& request) {
    QUOIN_TRY(const x509::Identity identity, authority_.authenticate(request.client_chain));
    if (identity.kind != x509::Kind::device) {
        return fail(Code::peer_forbidden,
                    "the client certificate is not a device's operational one");
    }
    return authority_.enrolee(identity.id);
}

// RFC 7030, section 4.5: what a request should hold. Who shows no certificate of a device here is
// told what devices of either class need.
Result<HttpResponse> Est::csr_attributes(const HttpRequest& request) {
    std::optional<Enrolee> enrolee;
    if (!request.client_chain.empty()) {
        const auto identity = request.client_chain.front().identity();
        const bool birth = identity && identity->kind == x509::Kind::birth;
        QUOIN_TRY(enrolee, birth ? authority_.authenticate_birth(request.client_chain)
                                 : renewing_device(request));
    }
    const PkiProfile::Algorithms& keys = options_.profile.algorithms;
    std::vector<std::string_view> oids;
    if (!enrolee || !enrolee->foreign_client) oids.push_back(x509::challenge_password_oid);
    const bool mpu = !enrolee || enrolee->device_class == "mpu";
    if (!enrolee || !mpu) oids.push_back(crypto::info(keys.mcu).oid);
    if (mpu) {
        oids.push_back(crypto::info(keys.mpu).oid);
        oids.push_back(crypto::info(crypto::Algorithm::slh_dsa_shake_128f).oid);
    }
    QUOIN_TRY(const crypto::ByteVector der, x509::csr_attributes_der(oids));
    return HttpResponse{.content_type = "application/csrattrs",
                        .body = crypto::to_base64(der) + "\n",
                        .headers = {{"Content-Transfer-Encoding", "base64"}}};
}

// What the device asks for, as far as the request itself can say.
Result<Submission> Est::submission(const HttpRequest& request, Enrolee enrolee, bool renewal) {
    QUOIN_TRY(std::string key_residence, key_residence_of(request));
    QUOIN_TRY(x509::Request csr, parse_enrolment(request.body));
    if (csr.common_name() != enrolee.device) {
        return fail(Code::peer_forbidden,
                    "the request names another device than the client certificate");
    }
    QUOIN_CHECK(check_binding(csr, request.tls_exporter, !enrolee.foreign_client));
    QUOIN_TRY(const crypto::Algorithm algorithm, csr.public_key().algorithm());
    QUOIN_TRY(const x509::Profile profile,
              profile_for(algorithm, enrolee.device_class, request.client_chain));
    QUOIN_TRY(const crypto::PublicKey shown, request.client_chain.front().public_key());
    QUOIN_TRY(const crypto::Sha256Digest old_key, key_digest(shown));
    QUOIN_TRY(const crypto::Sha256Digest new_key, key_digest(csr.public_key()));
    if (old_key == new_key) {
        return fail(Code::peer_forbidden,
                    "the request is for the key of the client certificate; make a new one");
    }
    return Submission{.enrolee = std::move(enrolee),
                      .profile = profile,
                      .request = std::move(csr),
                      .renewal = renewal,
                      .key_residence = std::move(key_residence)};
}

Result<HttpResponse> Est::enrol(const HttpRequest& request, bool renewal, std::string& device) {
    QUOIN_TRY(Enrolee enrolee, renewal ? renewing_device(request)
                                       : authority_.authenticate_birth(request.client_chain));
    device = enrolee.device;
    // Before any cryptography on what it sent.
    if (!budget_.spend(enrolee.device)) {
        return fail(Code::peer_too_fast,
                    "{} asks for certificates too often; try again in some seconds",
                    enrolee.device);
    }
    if (!may_enrol(enrolee.state)) {
        return fail(Code::peer_forbidden,
                    "{} is {} and gets no certificate; ask the plant's operator", enrolee.device,
                    enrolee.state);
    }
    if (!is_pkcs10(request.content_type)) {
        return plain(415, "the body must be application/pkcs10 in base64");
    }
    QUOIN_TRY(const Submission asked, submission(request, std::move(enrolee), renewal));
    const Issue issue = [this](Bytes approval, const x509::Request& csr,
                               const Recording& recording) {
        return authority_.issue(approval, csr, recording);
    };
    QUOIN_TRY(const Submitted submitted, registration_.submit(asked, issue));
    if (!submitted.certificate) {
        HttpResponse response =
            plain(202, fmt::format("request {} waits for an operator; ask again with the same key",
                                   submitted.number));
        response.headers.emplace_back("Retry-After", std::to_string(options_.retry_after.count()));
        return response;
    }
    return certs_only({&*submitted.certificate, 1}, true);
}

// While the plant migrates, a key of either suite; but who has moved does not come back.
Result<x509::Profile> Est::profile_for(crypto::Algorithm key, const std::string& device_class,
                                       std::span<const x509::Certificate> chain) const {
    const NextPointer second = authority_.next();
    if (second) {
        QUOIN_TRY(const bool has_moved, authority_.is_of_next(chain));
        auto next = profile_of(key, device_class, second->profile);
        if (has_moved || next) return next;
    }
    return profile_of(key, device_class, options_.profile);
}

Result<HttpResponse> Est::describe(const HttpRequest& request, std::string& device) {
    QUOIN_TRY(const Enrolee enrolee, renewing_device(request));
    device = enrolee.device;
    const NextPointer second = authority_.next();
    QUOIN_TRY(const bool is_of_next, authority_.is_of_next(request.client_chain));
    const bool has_moved = second && is_of_next;
    const tls::Suite suite = has_moved ? second->profile.suite : options_.profile.suite;
    const std::uint16_t port = has_moved ? options_.broker_next_port : options_.broker_port;
    nlohmann::json document{{"site", options_.site},
                            {"broker", {{"host", options_.broker_host}, {"port", port}}},
                            {"suite", tls::info(suite).name},
                            {"class", enrolee.device_class},
                            {"renew_at", options_.renew_at},
                            {"now_ms", now_ms()}};
    // What the plant migrates to; its broker is told to who has moved.
    if (second && !has_moved) document["next"] = tls::info(second->profile.suite).name;
    // Its issuing CA was replaced, and is to be left soon.
    if (authority_.must_renew(request.client_chain)) document["renew"] = true;
    return HttpResponse{.body = document.dump() + "\n"};
}

}  // namespace quoin::server
