// Known answers of every algorithm of core/crypto, on every backend that this processor has.
// Threads: one call at a time; uses about 200 KiB of memory while it runs.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "host/error.hpp"

namespace quoin::crypto::measure {

struct SelfTest {
    std::string operation;  // "ML-DSA-65 verify"
    std::string backend;    // "portable", "avx2", "avx512", "sha-ni", "aes-ni", "vaes", "EVP"
    bool passed = false;
};

// Calls `progress` before each operation; every one is run, whatever the others gave.
std::vector<SelfTest> self_test(
    const std::function<void(std::size_t done, std::size_t total)>& progress = {});
// The known answers through OpenSSL's EVP ("EVP"), by the provider that serves this process; with
// the ones before first use (six seconds), if `all`.
Result<std::vector<SelfTest>> evp_self_test(bool all);

// Backends of core/crypto that this processor lacks: what was not run.
std::vector<std::string> missing_backends();

}  // namespace quoin::crypto::measure
