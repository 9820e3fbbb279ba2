#include "broker/reports.hpp"

#include <utility>

namespace quoin::broker {

void Reports::add(const feed::FromPlugin& report) {
    if (lines_.size() == max_queued) {
        lines_.pop_front();
        ++lost_;
    }
    lines_.push_back(feed::encode(report));
}

std::optional<std::string> Reports::take() {
    if (lines_.empty()) return std::nullopt;
    std::string line = std::move(lines_.front());
    lines_.pop_front();
    return line;
}

std::uint64_t Reports::take_lost() { return std::exchange(lost_, 0); }

bool Limiter::allow(std::int64_t boot_ms) {
    if (boot_ms / 1000 != second_) {
        second_ = boot_ms / 1000;
        used_ = 0;
    }
    if (used_ < limit_) {
        ++used_;
        return true;
    }
    ++suppressed_;
    return false;
}

std::uint64_t Limiter::take_suppressed(std::int64_t boot_ms) {
    if (boot_ms / 1000 == second_) return 0;
    return std::exchange(suppressed_, 0);
}

}  // namespace quoin::broker
