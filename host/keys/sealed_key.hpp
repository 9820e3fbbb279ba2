// The key of a key store, sealed in a file by a TPM or a token: how quoin-se's store is opened
// (quoin-se --seal-key-fd) without a passphrase.
//
// Threads: free functions. Errors: the store's, and those of files.
#pragma once

#include <filesystem>

#include "host/keys/security_provider.hpp"

namespace quoin::keys {

inline constexpr std::size_t sealed_key_size = 32;  // bytes

// Makes 32 random bytes, and seals them by `store` into a new file (mode 0600; it is no secret). A
// file that is there: input_conflict, and it stays.
Result<void> make_sealed_key(SecurityProvider& store, const std::filesystem::path& file);
// integrity_mismatch: the platform has changed, or the file is of another store, or damaged.
Result<SecretBytes> open_sealed_key(SecurityProvider& store, const std::filesystem::path& file);

}  // namespace quoin::keys
