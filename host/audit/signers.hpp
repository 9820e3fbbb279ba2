// Who signed an audit log before its present key: the certificates that a renewal replaced.
//
// They lie in HOME/audit/earlier/SERIAL.crt, leaf and issuing CA. One that did not chain to the
// plant's root when it was issued, or names another service than "audit", is passed over: what it
// signed is then not trusted. That one has expired since is nothing against what it signed before:
// a key that was replaced signs nothing behind that (verify.hpp). Threads: free functions.
#pragma once

#include <filesystem>
#include <span>
#include <vector>

#include "host/crypto/crypto.hpp"
#include "host/error.hpp"
#include "host/x509/certificate.hpp"

namespace quoin::audit {

// Keeps a copy of the certificate in HOME/services/audit.crt, for when another one is there.
Result<void> keep_signer(const std::filesystem::path& home);
Result<std::vector<crypto::PublicKey>> earlier_signers(const std::filesystem::path& home,
                                                       std::span<const x509::Certificate> anchors);

}  // namespace quoin::audit
