// A key store on a PKCS#11 token (smart card, HSM, SoftHSM2): classical signing keys that the token
// makes and keeps, and secrets sealed by a wrapping key of the token. Post-quantum keys today's
// tokens have none of: they seal quoin-se's.
//
// Objects carry CKA_ID "quoin:STORE:seal" (AES-256, for AES-GCM: the wrapping key, which is also
// what makes a token a store) and "quoin:STORE:key:NAME" (key pairs). All private and secret ones
// are sensitive and were never extractable; one that is not (somebody put it there) is
// integrity_mismatch. A sealed blob is nonce 12 || ciphertext || tag 16.
//
// No counters, no attestation: PKCS#11 has no trustworthy form of them. The store is `hardware` if
// the module says that the slot is; SoftHSM2, which keeps keys in the using process, is
// `best effort`. A login is the whole process's: while one store of a token is open, another is not
// asked for the PIN again.
#pragma once

#include <memory>
#include <string>

#include "host/crypto/crypto.hpp"
#include "host/keys/security_provider.hpp"
#include "host/keys/uri.hpp"

namespace quoin::keys::pkcs11 {

struct Config {
    std::string module;           // path of the shared library
    std::string token;            // label
    std::string store = "quoin";  // a name as of a key: several stores fit on a token
    crypto::Passphrase pin{""};
};
// pkcs11:module=...;token=...;pin=FILE[;store=quoin]
Result<Config> config_of(const Uri& uri);

Result<std::unique_ptr<SecurityProvider>> create(const Uri& uri);
Result<std::unique_ptr<SecurityProvider>> open(const Uri& uri);
Result<std::unique_ptr<SecurityProvider>> create(Config config);
Result<std::unique_ptr<SecurityProvider>> open(Config config);

}  // namespace quoin::keys::pkcs11
