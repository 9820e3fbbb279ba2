#include "host/crypto/entropy/health.hpp"

namespace quoin::crypto::entropy {

Health HealthTests::take(Bytes samples) {
    for (const std::uint8_t sample : samples) {
        if (health_ != Health::good) break;
        health_ = take(sample);
    }
    return health_;
}

Health HealthTests::take(std::uint8_t sample) {
    repetitions_ = repetitions_ != 0 && sample == last_ ? repetitions_ + 1 : 1;
    last_ = sample;
    if (repetitions_ >= repetition_cutoff) return Health::repetition_count;
    if (seen_ == 0) {
        first_ = sample;
        equal_ = 0;
    }
    if (sample == first_) ++equal_;
    if (equal_ >= proportion_cutoff) return Health::adaptive_proportion;
    seen_ = (seen_ + 1) % proportion_window;
    return Health::good;
}

}  // namespace quoin::crypto::entropy
