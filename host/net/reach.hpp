// Whether a TLS server can be reached. Threads: as http.hpp.
#pragma once

#include <openssl/types.h>

#include <chrono>
#include <cstdint>
#include <string>

#include "host/error.hpp"

namespace quoin::net {

// One is there, the context trusts it and it has this name: a handshake, and no more. What the
// server thinks of our certificate is not known by it.
Result<void> tls_reach(const std::string& host, std::uint16_t port, SSL_CTX* tls,
                       std::chrono::milliseconds timeout = std::chrono::seconds(15));

}  // namespace quoin::net
