#include "host/net/http.hpp"

#include <nlohmann/json.hpp>

namespace quoin::net {

HttpResponse problem(const Error& error) {
    const int status = http_status(error.code);
    const nlohmann::json document{{"type", "about:blank"},
                                  {"title", code_name(error.code)},
                                  {"status", status},
                                  {"detail", error.message}};
    // A detail may quote what a peer sent: bytes that are not UTF-8 are replaced, never thrown.
    return {.status = status,
            .content_type = "application/problem+json",
            .body = document.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"};
}

}  // namespace quoin::net
