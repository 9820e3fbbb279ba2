// Keys of algorithms that OpenSSL does not know, in the containers of those it does: private ones
// as encrypted PKCS#8 (the same encryption as PrivateKey's), public ones as SubjectPublicKeyInfo,
// both in PEM. The algorithm is its object identifier, in dots, without parameters.
//
// Errors carry OpenSSL's reason. Threads: free functions.
#pragma once

#include <string>
#include <string_view>

#include "host/crypto/crypto.hpp"

namespace quoin::crypto {

// `slow`: for passphrases that a person chose.
Result<std::string> seal_foreign_key(const std::string& algorithm, Bytes secret,
                                     const Passphrase& passphrase, bool slow);
// A wrong passphrase, damage, or another algorithm: input_invalid. The caller wipes what it gets.
Result<ByteVector> open_foreign_key(const std::string& algorithm, std::string_view pem,
                                    const Passphrase& passphrase);

Result<std::string> foreign_public_key_pem(const std::string& algorithm, Bytes key);
Result<ByteVector> foreign_public_key(const std::string& algorithm, std::string_view pem);

}  // namespace quoin::crypto
