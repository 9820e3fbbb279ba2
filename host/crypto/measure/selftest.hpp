// Known answers of every algorithm of core/crypto, on every backend that this processor has.
// Threads: one call at a time; uses about 200 KiB of memory while it runs.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "core/crypto/known_answers/operation.hpp"

namespace quoin::crypto::measure {

struct SelfTest {
    std::string operation;  // "ML-DSA-65 verify"
    std::string backend;    // "portable", "avx2", "avx512", "sha-ni", "aes-ni", "vaes"
    bool passed = false;
};

// Calls `progress` before each operation; every one is run, whatever the others gave.
std::vector<SelfTest> self_test(
    const std::function<void(std::size_t done, std::size_t total)>& progress = {});

// Whether an operation gives its known answer in each round. self_test() judges by it.
bool passes(const core::known_answers::Operation& operation,
            const core::known_answers::Memory& memory);

// Backends of core/crypto that this processor lacks: what was not run.
std::vector<std::string> missing_backends();

}  // namespace quoin::crypto::measure
