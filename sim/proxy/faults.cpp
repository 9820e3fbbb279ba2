#include "sim/proxy/faults.hpp"

#include <algorithm>

namespace quoin::sim {

bool Faults::happens(double chance) {
    return std::uniform_real_distribution<double>(0, 1)(random_) < chance;
}

Fate Faults::next(std::int64_t now_ms, std::size_t bytes) {
    // Every draw is made for every piece, so that one option does not shift another's sequence.
    const std::int64_t jitter = std::uniform_int_distribution<std::int64_t>(
        0, std::max<std::int64_t>(options_.jitter_ms, 0))(random_);
    const bool lost = happens(options_.loss);
    const bool stalled = happens(options_.stall);
    const bool reset = happens(options_.reset);

    line_free_ms_ = std::max(line_free_ms_, now_ms);
    if (options_.bytes_per_second > 0) {
        line_free_ms_ += static_cast<std::int64_t>(bytes) * 1000 / options_.bytes_per_second;
    }
    std::int64_t delivery = line_free_ms_ + options_.latency_ms + jitter;
    if (lost) delivery += options_.loss_stall_ms;
    if (stalled) delivery += options_.stall_ms;
    delivery = std::max(delivery, last_delivery_ms_);
    last_delivery_ms_ = delivery;
    return {.delay_ms = delivery - now_ms, .reset = reset};
}

}  // namespace quoin::sim
