// The entropy source as an OpenSSL provider ("quoin-entropy", algorithm QUOIN-SEED-SRC), which
// seeds the DRBGs of a library context. Source: provider-rand(7), EVP_RAND-SEED-SRC(7).
#pragma once

#include <openssl/types.h>

namespace quoin::crypto::entropy {

inline constexpr const char* seed_source_name = "QUOIN-SEED-SRC";

// Before anything is drawn from the context. False: OpenSSL's queue says why.
bool seed(OSSL_LIB_CTX* library);

}  // namespace quoin::crypto::entropy
