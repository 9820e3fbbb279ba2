// The library context of our own programs: OpenSSL's default provider and, before it, ours
// (quoin.so: composite signatures, fast lattice code). What others in the process do with OpenSSL,
// and the configuration file of the machine, do not touch it.
//
// quoin.so is QUOIN_PROVIDER, else ../lib/quoin/quoin.so beside the program.
// Threads: any.
#pragma once

#include <openssl/types.h>

#include <filesystem>

#include "host/error.hpp"

namespace quoin::crypto {

// Made, and tested (selftest/module.hpp), at the first call, and there until the program ends.
OSSL_LIB_CTX* library();
std::filesystem::path provider_file();
// Whether our provider is in it: config_invalid says why it is not; and whether the self-tests were
// passed. What listens or connects asks this first. Without the provider there are no
// composite signatures, and the rest is OpenSSL's own code.
Result<void> provider_is_loaded();

}  // namespace quoin::crypto
