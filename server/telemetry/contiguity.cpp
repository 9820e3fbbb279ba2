#include "server/telemetry/contiguity.hpp"

#include <algorithm>

namespace quoin::telemetry {

Contiguity::Outcome Contiguity::add(std::uint64_t seq, std::uint64_t low, Dropped& dropped) {
    const std::uint64_t base = std::max(contiguous_, low - 1);
    if (seq > base && seq - base > window) return Outcome::too_far;
    raise(low, dropped);
    if (seq <= contiguous_) return Outcome::duplicate;
    if (seq == contiguous_ + 1) {
        ++contiguous_;
        advance();
        return Outcome::fresh;
    }
    if (!above_) above_ = std::make_unique<Ring>();
    if (above_->test(seq % ring_size)) return Outcome::duplicate;
    above_->set(seq % ring_size);
    return Outcome::fresh;
}

// Takes everything below `low` as settled: what is not there was dropped by the device.
void Contiguity::raise(std::uint64_t low, Dropped& dropped) {
    if (low <= contiguous_ + 1) return;
    dropped = {.count = low - 1 - contiguous_, .from = contiguous_ + 1, .to = low - 1};
    if (above_) {
        const std::uint64_t end = std::min(low - 1, contiguous_ + window);
        for (std::uint64_t seq = contiguous_ + 1; seq <= end; ++seq) {
            if (!above_->test(seq % ring_size)) continue;
            above_->reset(seq % ring_size);
            --dropped.count;
        }
    }
    contiguous_ = low - 1;
    advance();
}

void Contiguity::advance() {
    if (!above_) return;
    while (above_->test((contiguous_ + 1) % ring_size)) {
        ++contiguous_;
        above_->reset(contiguous_ % ring_size);
    }
    if (above_->none()) above_.reset();
}

}  // namespace quoin::telemetry
