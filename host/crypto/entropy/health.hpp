// The continuous health tests of an entropy source over samples of 8 bits. SP 800-90B, 4.4.
//
// H = 4 bits for each sample, alpha = 2^-40: of 2^30 samples a year, a false alarm in a thousand
// years.
// Threads: one owner.
#pragma once

#include <cstdint>

#include "core/base/bytes.hpp"

namespace quoin::crypto::entropy {

// 4.4.1: C = 1 + ceil(-log2(alpha) / H).
inline constexpr unsigned repetition_cutoff = 11;
// 4.4.2: W = 512, C = 1 + CRITBINOM(W, 2^-H, 1 - alpha).
inline constexpr unsigned proportion_window = 512;
inline constexpr unsigned proportion_cutoff = 78;

enum class Health : std::uint8_t { good, repetition_count, adaptive_proportion };

class HealthTests {
public:
    // After a failure the answer stays what it was.
    Health take(Bytes samples);

private:
    Health take(std::uint8_t sample);

    Health health_ = Health::good;
    unsigned repetitions_ = 0;  // of last_; 0: no sample yet
    std::uint8_t last_ = 0;
    unsigned seen_ = 0;  // of this window
    unsigned equal_ = 0;
    std::uint8_t first_ = 0;  // of this window
};

}  // namespace quoin::crypto::entropy
