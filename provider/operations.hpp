// What each file of an operation offers; provider.cpp puts it together.
#pragma once

#include <openssl/core.h>

#include <array>

namespace quoin::provider {

extern const std::array<OSSL_ALGORITHM, 4> kem_keymgmts;
extern const std::array<OSSL_ALGORITHM, 4> kem_operations;

// Calls `take` with each entry of the capability (provider-base(7), CAPABILITIES), until it says
// no: 0. A capability that is not ours: 0, too.
int tell_capability(const char* capability, OSSL_CALLBACK* take, void* argument);

}  // namespace quoin::provider
