#include "server/api/access.hpp"

#include <unistd.h>

namespace quoin::server {

Result<Caller> identify(const net::HttpRequest& request, const Authenticate& authenticate) {
    if (request.peer_uid) {
        if (*request.peer_uid != 0 && *request.peer_uid != ::getuid()) {
            return fail(
                Code::peer_forbidden,
                "the user {} may not use this socket; call over HTTPS with an operator certificate",
                *request.peer_uid);
        }
        return Caller{.name = fmt::format("uid:{}", *request.peer_uid), .role = x509::Role::admin};
    }
    if (request.client_chain.empty()) {
        return fail(Code::peer_unauthenticated, "this call needs an operator certificate");
    }
    QUOIN_TRY(const x509::Identity identity, authenticate(request.client_chain));
    if (identity.kind != x509::Kind::operator_ || !identity.role) {
        return fail(Code::peer_forbidden, "{} is no operator", x509::to_uri(identity));
    }
    return Caller{.name = "operator:" + identity.id, .role = *identity.role};
}

Result<void> require(const Caller& caller, x509::Role needed) {
    if (caller.role >= needed) return {};
    return fail(Code::peer_forbidden, "{} has the role {}; this call needs {}", caller.name,
                x509::role_name(caller.role), x509::role_name(needed));
}

}  // namespace quoin::server
