// A birth key serves one birth certificate: a device that was revoked comes back with a new one.
// Threads: any.
#pragma once

#include <string>

#include "host/store/database.hpp"
#include "host/x509/certificate.hpp"

namespace quoin::server {

// Remembers the key of a birth certificate when it is shown first. peer_forbidden: another one had
// the same key. `sha256`: of the certificate, in hex; it is on the inventory.
Result<void> check_birth_key(store::Database& database, const x509::Certificate& birth,
                             const std::string& sha256);

}  // namespace quoin::server
