// BIO of OpenSSL's core, and other objects of libcrypto that encoders and decoders own.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include <memory>

#include "provider/context.hpp"

namespace quoin::provider {

struct FreeObject {
    void operator()(BIO* object) const { BIO_free(object); }
    void operator()(EVP_CIPHER* object) const { EVP_CIPHER_free(object); }
    void operator()(PKCS8_PRIV_KEY_INFO* object) const { PKCS8_PRIV_KEY_INFO_free(object); }
    void operator()(X509_SIG* object) const { X509_SIG_free(object); }
};
template <class Object>
using Owned = std::unique_ptr<Object, FreeObject>;

// Null, with an error queued, if there is no memory.
inline Owned<BIO> open(const ProviderContext& context, OSSL_CORE_BIO* bio) {
    return Owned<BIO>(BIO_new_from_core_bio(context.library.get(), bio));
}

}  // namespace quoin::provider
