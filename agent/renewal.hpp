// When a device renews its certificate: at a share of its life, earlier by chance, so that devices
// that were enrolled together do not come back together.
//
// Threads: pure but for the generator.
#pragma once

#include <chrono>
#include <cstdint>
#include <random>

namespace quoin::agent {

inline constexpr double renew_jitter = 0.05;  // of a certificate's life, earlier

struct Life {
    std::int64_t from_ms;  // UTC
    std::int64_t to_ms;
};

// As a wait from `now_ms`; not negative.
std::chrono::milliseconds wait_for_renewal(const Life& life, double renew_at, std::int64_t now_ms,
                                           std::minstd_rand& random);

}  // namespace quoin::agent
