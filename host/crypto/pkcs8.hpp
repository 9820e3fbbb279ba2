// The encryption of private keys: PKCS#8, PBES2. Inside host/crypto only.
#pragma once

#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include "host/crypto/crypto.hpp"
#include "host/crypto/handles.hpp"

namespace quoin::crypto {

using EncryptedHandle = Handle<X509_SIG, X509_SIG_free>;
using ClearHandle = Handle<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free>;

inline constexpr std::size_t max_key_size = 64U << 10U;  // bytes, DER or PEM

Result<std::string> encrypt_to_pem(PKCS8_PRIV_KEY_INFO* clear, const Passphrase& passphrase,
                                   bool slow);
Result<ClearHandle> decrypt_pem(std::string_view pem, const Passphrase& passphrase);

}  // namespace quoin::crypto
