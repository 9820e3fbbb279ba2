// Who calls the REST API, and in which role.
//
//   Unix socket         uid of quoind or root: admin; any other: refused
//   operator certificate, unrevoked: the role in its URI
//   anything else       refused
//
// viewer < operator < admin. Threads: pure functions.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "host/net/http.hpp"
#include "host/x509/certificate.hpp"

namespace quoin::server {

// Says whom the plant knows by a verified chain (pki's Authority::authenticate).
using Authenticate = std::function<Result<x509::Identity>(std::span<const x509::Certificate>)>;

struct Caller {
    std::string name;  // "operator:anna", "uid:1000"; for the audit log
    x509::Role role;
};

// peer_unauthenticated: no identity; peer_forbidden: an identity that may not use this API.
Result<Caller> identify(const net::HttpRequest& request, const Authenticate& authenticate);
// peer_forbidden when the caller's role is less than `needed`.
Result<void> require(const Caller& caller, x509::Role needed);

}  // namespace quoin::server
