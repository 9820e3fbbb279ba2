// What each file of an operation offers; provider.cpp puts it together.
#pragma once

#include <openssl/core.h>

#include <array>

#include "provider/algorithms.hpp"

namespace quoin::provider {

extern const std::array<OSSL_ALGORITHM, 4> kem_keymgmts;
extern const std::array<OSSL_ALGORITHM, 4> kem_operations;
extern const std::array<OSSL_ALGORITHM, 5> signature_keymgmts;
extern const std::array<OSSL_ALGORITHM, 3> ml_dsa_signatures;
extern const std::array<OSSL_ALGORITHM, 2> composite_signatures;
extern const std::array<OSSL_ALGORITHM, 7> composite44_encoders;
extern const std::array<OSSL_ALGORITHM, 7> composite65_encoders;
extern const std::array<OSSL_ALGORITHM, 13> signature_decoders;

// Calls `take` with each entry of the capability (provider-base(7), CAPABILITIES), until it says
// no: 0. A capability that is not ours: 0, too.
int tell_capability(const char* capability, OSSL_CALLBACK* take, void* argument);
// The same, for the signature schemes: "TLS-SIGALG".
int tell_signatures(const CodePoints& code_points, OSSL_CALLBACK* take, void* argument);

}  // namespace quoin::provider
