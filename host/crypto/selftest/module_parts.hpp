// What library.cpp and the tests need of the module. Inside host/crypto only.
#pragma once

#include <openssl/types.h>

#include "host/error.hpp"

namespace quoin::crypto::selftest {

// The tests of the start, on a library context that nobody else has yet.
Result<void> power_on(OSSL_LIB_CTX* library, bool has_quoin);
// One test of the tables, once in a process.
Result<void> first_use(std::string_view test, OSSL_LIB_CTX* library);
// Counts a test that was passed somewhere else (core.hpp).
void count_passed();
bool is_stopped() noexcept;
// The sentence of the module's error.
std::string stopped_message();

}  // namespace quoin::crypto::selftest

namespace quoin::crypto {

// The first sentence in OpenSSL's queue: the provider's own, before what its callers conclude.
// Clears the queue.
std::string first_reason();

}  // namespace quoin::crypto
