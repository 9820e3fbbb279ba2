#include "cli/client.hpp"

#include <filesystem>

#include "cli/sse.hpp"
#include "host/crypto/crypto.hpp"
#include "host/percent.hpp"
#include "host/tls/policy.hpp"
#include "host/tls/status.hpp"

namespace quoin::cli {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view prefix = "/api/v1/";

Code code_of(int status) {
    switch (status) {
        case 400:
            return Code::peer_malformed;
        case 401:
            return Code::peer_unauthenticated;
        case 403:
            return Code::peer_forbidden;
        case 404:
            return Code::input_not_found;
        case 409:
            return Code::state_wrong;
        case 413:
            return Code::peer_oversize;
        case 429:
            return Code::peer_too_fast;
        case 503:
            return Code::resource_unavailable;
        default:
            return Code::internal;
    }
}

Error problem_of(const net::HttpReply& reply, std::string_view path) {
    const auto problem = nlohmann::json::parse(reply.body, nullptr, false);
    std::string detail;
    if (problem.is_object()) {
        for (const char* field : {"detail", "title"}) {
            if (detail.empty() && problem.contains(field) && problem[field].is_string()) {
                detail = problem[field].get<std::string>();
            }
        }
    }
    if (detail.empty())
        detail = fmt::format("{}: HTTP status {} without a reason", path, reply.status);
    return Error{code_of(reply.status), detail};
}

Result<tls::Context> operator_context(const Context& context) {
    const fs::path home = context.home;
    const fs::path certificate =
        context.certificate.empty() ? home / "operator/admin.crt" : fs::path(context.certificate);
    const fs::path key = context.key.empty() ? fs::path(certificate).replace_extension(".key")
                                             : fs::path(context.key);
    const fs::path trust = context.trust.empty() ? home / "pki/root.crt" : fs::path(context.trust);
    QUOIN_TRY(const auto anchors, x509::Certificate::load(trust));
    QUOIN_TRY(auto chain, x509::Certificate::load(certificate));
    QUOIN_TRY(const auto passphrase, crypto::existing_unlock_key(home / "unlock.key"));
    QUOIN_TRY(auto private_key, crypto::PrivateKey::load(key, passphrase));
    QUOIN_TRY(const auto suite,
              tls::suite_by_name(context.suite.empty() ? "hybrid" : context.suite, false));
    const tls::Credentials credentials{.chain = std::move(chain), .key = std::move(private_key)};
    QUOIN_TRY(tls::Context tls,
              tls::client_context(suite, anchors, tls::Server::quoind, &credentials));
    QUOIN_CHECK(tls::demand_staple(tls.get()));
    return tls;
}

Result<void> refuse_missing_socket(const fs::path& socket) {
    std::error_code failure;
    if (fs::exists(socket, failure)) return {};
    return fail(Code::resource_unavailable,
                "{} {}: is the plant up? Start it with `quoin up --home {}`, name its folder with "
                "--home, or a remote one with --url",
                socket.string(), failure ? failure.message() : "is not there",
                socket.parent_path().parent_path().string());
}

}  // namespace

std::string target(std::string_view path, const Parameters& parameters) {
    std::string text(path);
    char separator = '?';
    for (const auto& [name, value] : parameters) {
        if (value.empty()) continue;
        text += fmt::format("{}{}={}", separator, name, percent_encode(value));
        separator = '&';
    }
    return text;
}

Result<Client> Client::open(const Context& context) {
    Client client;
    if (context.url.empty()) {
        const fs::path socket = fs::path(context.home) / "run/quoind.sock";
        QUOIN_CHECK(refuse_missing_socket(socket));
        client.base_url_ = "unix:" + socket.string();
        return client;
    }
    if (!context.url.starts_with("https://")) {
        return fail(Code::input_invalid, "--url {}: it must begin with https://", context.url);
    }
    client.base_url_ = context.url;
    while (client.base_url_.ends_with('/')) client.base_url_.pop_back();
    QUOIN_TRY(client.tls_, operator_context(context));
    return client;
}

net::HttpClientOptions Client::options() const {
    return {.base_url = base_url_, .tls = tls_.get(), .timeout = timeout_};
}

Result<nlohmann::json> Client::request(std::string_view method, const std::string& path,
                                       std::string_view body, std::string_view content_type) const {
    QUOIN_TRY(const auto reply,
              net::http_request(options(), method, std::string(prefix) + path, body, content_type));
    if (reply.status < 200 || reply.status > 299) return std::unexpected(problem_of(reply, path));
    auto answer = nlohmann::json::parse(reply.body, nullptr, false);
    if (answer.is_discarded()) {
        return fail(Code::peer_malformed, "{}: the answer is not JSON; is this Quoin's REST port?",
                    path);
    }
    return answer;
}

Result<nlohmann::json> Client::get(const std::string& path) const {
    return request("GET", path, {}, {});
}

Result<nlohmann::json> Client::post(const std::string& path, std::string_view body,
                                    std::string_view content_type) const {
    return request("POST", path, body, content_type);
}

Result<void> Client::stream(const std::string& path,
                            const std::function<bool(std::string_view)>& on_piece) const {
    return net::http_stream(options(), std::string(prefix) + path, on_piece);
}

Result<void> Client::follow(const std::string& path,
                            const std::function<bool(const nlohmann::json&)>& on_event) const {
    SseReader reader;
    Result<bool> read = true;
    QUOIN_CHECK(stream(path, [&](std::string_view piece) {
        read = reader.feed(piece, [&](std::string_view data) {
            const auto event = nlohmann::json::parse(data, nullptr, false);
            return event.is_discarded() || on_event(event);
        });
        return read.value_or(false);
    }));
    if (!read) return std::unexpected(read.error());
    return {};
}

}  // namespace quoin::cli
