// Several suites at once, while a plant migrates from one to the next.
//
// Threads: as policy.hpp.
#pragma once

#include <span>
#include <string>

#include "host/tls/policy.hpp"

namespace quoin::tls {

struct ServerIdentity {
    Suite suite;
    Credentials credentials;
};

// As server_context() of policy.hpp, with a certificate for each suite: a client is shown one that
// it can check. One that can check several (no agent of ours) is shown the first: put the present
// suite, whose root all clients have, before the next.
Result<Context> server_context(std::span<const ServerIdentity> identities,
                               std::span<const x509::Certificate> client_anchors,
                               bool require_client);

// As openssl_conf() of policy.hpp.
std::string openssl_conf(std::span<const Suite> of);

// Groups and signatures of all of them, as OpenSSL lists without repetitions.
struct Offer {
    std::string groups;
    std::string signatures;         // by servers
    std::string client_signatures;  // by clients
};
Offer offer(std::span<const Suite> of);

}  // namespace quoin::tls
