// One key of a software store as text (see store.hpp), and the OpenSSL side of it.
//
// Errors name what is wrong, not the file. Threads: free functions.
#pragma once

#include <string>

#include "host/crypto/crypto.hpp"
#include "host/keys/security_provider.hpp"
#include "host/keys/software/box.hpp"

namespace quoin::keys::software {

// Names that generate_key() takes: the signatures of host/crypto, X25519, ML-KEM.
std::vector<std::string> algorithm_names();
bool is_signature(std::string_view algorithm);
// input_unsupported: no such algorithm.
Result<crypto::PrivateKey> generate_key(std::string_view algorithm);
Result<ByteVector> spki_of(const crypto::PrivateKey& key);
Result<SecretBytes> decapsulate(const crypto::PrivateKey& key, std::string_view algorithm,
                                Bytes ciphertext);

Result<std::string> seal_key(BoxKey key, const KeyInfo& info, const crypto::PrivateKey& secret);

struct KeyFile {
    KeyInfo info;
    crypto::PrivateKey secret;
};
// Another name, damage or another store: integrity_mismatch.
Result<KeyFile> open_key(BoxKey key, std::string_view name, std::string_view text);

}  // namespace quoin::keys::software
