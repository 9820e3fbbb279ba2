// The shape of a call of the API: private to this folder.
#pragma once

#include <string_view>
#include <vector>

#include "server/api/api.hpp"

namespace quoin::server {

struct Api::Route {
    std::string_view method;
    std::string_view path;  // under /api/v1/; "{id}" stands for one segment
    x509::Role role;
    std::vector<std::string_view> parameters;
    std::string_view body;    // content type; "" for none
    std::string_view answer;  // content type
    std::string_view summary;
    Handler handler;
};

// 200 with a JSON text.
inline net::HttpResponse json_response(std::string body) {
    body.push_back('\n');
    return {.status = 200, .content_type = "application/json", .body = std::move(body)};
}

}  // namespace quoin::server
