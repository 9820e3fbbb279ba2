// A birth key serves one birth certificate: a device that was revoked comes back with a new one.
// In the caller's transaction. Threads: any.
#pragma once

#include "server/pki/enrolee.hpp"

namespace quoin::server {

// True: the key is remembered. peer_forbidden: as that of another birth certificate.
Result<bool> check_birth_key(soci::session& session, const BirthKey& birth);
// Unless it is, after the same check.
Result<void> remember_birth_key(soci::session& session, const BirthKey& birth);

}  // namespace quoin::server
