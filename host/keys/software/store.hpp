// Keys in files, encrypted: the store for machines that have nothing better. While a key is used it
// is in the memory of the using process: `best effort`.
//
//   DIR/master.pem   32 random bytes and a check of them in encrypted PKCS#8, under the unlock key
//                    (PBKDF2: it is random) or a person's passphrase (scrypt)
//   DIR/NAME.key     three lines: "quoin-key 1", what the key is and may do (JSON), and
//                    base64(nonce 12 || AES-256-GCM of the PKCS#8 || tag 16) under a key derived
//                    from the master key, with the two lines above as associated data
//
// Each file is written whole or not at all (host/files). No counters, no attestation: what is on a
// disk can be put back. A wrong passphrase and a damaged master.pem cannot be told apart: both are
// input_unauthenticated; a damaged NAME.key is integrity_mismatch.
#pragma once

#include <filesystem>
#include <memory>

#include "host/crypto/crypto.hpp"
#include "host/keys/security_provider.hpp"
#include "host/keys/uri.hpp"

namespace quoin::keys::software {

// software:DIR;unlock=FILE (64 hexadecimal digits, made if it is not there) or ;passphrase=FILE.
// Without either: DIR/../unlock.key. A store that is there: input_conflict.
Result<std::unique_ptr<SecurityProvider>> create(const Uri& uri);
// No store there: input_not_found.
Result<std::unique_ptr<SecurityProvider>> open(const Uri& uri);

// The same with a passphrase at hand. `slow`: a person chose it.
Result<void> create(const std::filesystem::path& folder, const crypto::Passphrase& passphrase,
                    bool slow);
Result<std::unique_ptr<SecurityProvider>> open(const std::filesystem::path& folder,
                                               const crypto::Passphrase& passphrase);

}  // namespace quoin::keys::software
