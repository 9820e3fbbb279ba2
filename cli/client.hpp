// The REST client of the commands: HOME/run/quoind.sock, or --url with an operator certificate.
//
// Problems of the server come back as errors with its sentence. Threads: one at a time.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/context.hpp"
#include "host/net/http.hpp"

namespace quoin::cli {

using Parameters = std::vector<std::pair<std::string, std::string>>;

// "devices?state=active&limit=10": empty values are left out, the rest is percent-encoded.
std::string target(std::string_view path, const Parameters& parameters);

class Client {
public:
    static Result<Client> open(const Context& context);

    // `path` is below /api/v1.
    Result<nlohmann::json> get(const std::string& path) const;
    Result<nlohmann::json> post(const std::string& path, std::string_view body,
                                std::string_view content_type = "application/json") const;
    // A streamed body, piece by piece, until `on_piece` returns false or the server ends it.
    Result<void> stream(const std::string& path,
                        const std::function<bool(std::string_view)>& on_piece) const;
    // Server-sent events: the data of each, until `on_event` returns false.
    Result<void> follow(const std::string& path,
                        const std::function<bool(const nlohmann::json&)>& on_event) const;

    void set_timeout(std::chrono::milliseconds timeout) { timeout_ = timeout; }

private:
    net::HttpClientOptions options() const;
    Result<nlohmann::json> request(std::string_view method, const std::string& path,
                                   std::string_view body, std::string_view content_type) const;

    std::string base_url_;
    tls::Context tls_;
    std::chrono::milliseconds timeout_{15000};
};

}  // namespace quoin::cli
