// How fast core/crypto is on this machine, beside OpenSSL: what `quoin crypto speed` runs.
//
// CPU time of this thread, ours and OpenSSL's by turns (host/crypto/speed.hpp). Only the ratio of
// one run says something. Both sides get the same keys and messages, and sign without randomness,
// so that both make as many attempts. OpenSSL's key objects hold more ready-made (ML-KEM's matrix).
// Threads: one call at a time.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "host/crypto/speed.hpp"

namespace quoin::crypto::measure {

// One line of the answer, not yet measured.
struct Comparison {
    std::string operation;
    std::function<void()> ours;
    std::function<void()> openssl;  // empty: OpenSSL has none
    double per_call = 1;            // operations in one call
};

// With the best backend of this processor.
std::vector<Comparison> comparisons();

speed::Outcome run(const Comparison& comparison, speed::Options options);

// "Intel(R) Xeon(R) ..., AVX2, SHA-NI, AES-NI": where the figures belong.
std::string machine();

}  // namespace quoin::crypto::measure
