// OCSP stapling: a server shows the status of its certificate in the handshake, and a client
// demands it.
//
// Source: RFC 6066, section 8; RFC 8446, section 4.4.2.1. Threads: as policy.hpp.
#pragma once

#include <openssl/types.h>

#include <functional>
#include <memory>
#include <string>

#include "host/error.hpp"

namespace quoin::tls {

// The answer (DER) that holds now; null: there is none. Called in handshakes, on their thread: must
// not block.
using Staple = std::function<std::shared_ptr<const std::string>()>;

// The same for a server of several certificates: of the one that this client is shown.
using StapleFor = std::function<std::shared_ptr<const std::string>(const X509* shown)>;

// A server of this context shows it to clients that ask.
Result<void> staple(SSL_CTX* context, Staple source);
Result<void> staple(SSL_CTX* context, StapleFor source);

// A client of this context refuses a server without a status, and with one that is not of the
// server's own issuer, too old, or anything but good (host/x509/ocsp.hpp).
Result<void> demand_staple(SSL_CTX* context);
// Why a handshake failed, if it was for this; else empty.
std::string status_failure(const SSL* connection);

}  // namespace quoin::tls
