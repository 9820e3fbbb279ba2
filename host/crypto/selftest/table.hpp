// The known-answer tests through EVP, with the provider that the library context prefers.
//
// Sources: FIPS 140-3 IG 10.3.A; the vectors' origins stand beside them.
#pragma once

#include <span>

#include "host/crypto/selftest/trial.hpp"

namespace quoin::crypto::selftest {

enum class When {
    start,             // when the library context is made
    start_with_quoin,  // the same, if our provider is loaded: nobody else has the algorithm
    first_use,
};

struct SelfTest {
    std::string_view name;
    When when;
    bool (*run)(const Trial& trial);
};

// Digests, MACs, key derivation, ciphers, the DRBG. Then keys.
std::span<const SelfTest> symmetric_tests();
std::span<const SelfTest> asymmetric_tests();

}  // namespace quoin::crypto::selftest
