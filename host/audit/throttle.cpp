#include "host/audit/throttle.hpp"

#include <algorithm>

namespace quoin::audit {

void Throttle::refill(Bucket& bucket, Clock::time_point now) const {
    const auto gained = (now - bucket.refilled) / refill_;
    if (gained <= 0) return;
    bucket.tokens = std::min(burst_, bucket.tokens + static_cast<std::uint64_t>(gained));
    bucket.refilled += gained * refill_;
}

// Drops the buckets that have nothing to remember; seldom, since it looks at all of them.
void Throttle::purge(Clock::time_point now) {
    if (now - purged_at_ < refill_) return;
    purged_at_ = now;
    std::erase_if(buckets_, [&](auto& each) {
        refill(each.second, now);
        return each.second.tokens == burst_ && each.second.suppressed == 0;
    });
}

Throttle::Bucket& Throttle::bucket(Id id, std::string_view subject, Clock::time_point now) {
    std::pair<Id, std::string> key{id, subject};
    if (buckets_.size() >= max_buckets && !buckets_.contains(key)) {
        purge(now);
        // Still full: many subjects at once. They share one bucket for each id.
        if (buckets_.size() >= max_buckets) key.second.clear();
    }
    return buckets_.try_emplace(std::move(key), Bucket{.tokens = burst_, .refilled = now})
        .first->second;
}

bool Throttle::admit(Id id, std::string_view subject, Clock::time_point now) {
    Bucket& mine = bucket(id, subject, now);
    refill(mine, now);
    if (mine.tokens > 0) {
        --mine.tokens;
        return true;
    }
    if (mine.suppressed++ == 0) {
        mine.suppressed_since = now;
        ++suppressed_buckets_;
    }
    return false;
}

std::vector<Throttle::Suppressed> Throttle::take_due(Clock::time_point now, bool all) {
    std::vector<Suppressed> due;
    if (suppressed_buckets_ == 0) return due;
    for (auto& [key, each] : buckets_) {
        if (each.suppressed == 0 || (!all && now - each.suppressed_since < report_after)) continue;
        due.push_back({key.first, key.second, each.suppressed});
        each.suppressed = 0;
        --suppressed_buckets_;
    }
    return due;
}

}  // namespace quoin::audit
