// The extension that names a device's TPM quote key, in requests and attestation certificates.
#pragma once

#include <openssl/x509.h>

#include "host/crypto/crypto.hpp"
#include "host/crypto/handles.hpp"

namespace quoin::x509 {

// A UUID as object identifier (ITU-T X.667); the value is a SubjectPublicKeyInfo. Not critical:
// who does not know it loses nothing.
inline constexpr const char* quote_key_oid = "2.25.204986596919552793566796172733644147800";

using ExtensionHandle = crypto::Handle<X509_EXTENSION, X509_EXTENSION_free>;

// input_invalid unless it is an ECDSA P-256 key, which is what TPMs quote with.
Result<ExtensionHandle> make_quote_key_extension(Bytes spki);
// Empty: none. peer_malformed: more than one.
Result<crypto::ByteVector> quote_key_in(const STACK_OF(X509_EXTENSION) * extensions);

}  // namespace quoin::x509
