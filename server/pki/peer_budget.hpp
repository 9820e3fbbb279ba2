// How much work each peer may ask for: so many at once, then so many a second.
//
// Threads: any. Memory is bounded: peers whose budget is whole again are forgotten, and when that
// frees none, a new peer waits.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace quoin::server {

class PeerBudget {
public:
    PeerBudget(double per_s, double burst) : per_s_(per_s), burst_(burst) {}

    // `peer`: an address, or a device. False: it has to wait.
    bool spend(std::string_view peer) {
        const auto now = Clock::now();
        const std::lock_guard lock(mutex_);
        const std::string name(peer);
        const auto found = buckets_.find(name);
        if (found == buckets_.end()) {
            if (buckets_.size() >= max_peers) forget_idle(now);
            if (buckets_.size() >= max_peers) return false;
            buckets_.emplace(name, Bucket{burst_ - 1, now});
            return true;
        }
        Bucket& bucket = found->second;
        bucket.tokens = tokens_at(bucket, now);
        bucket.at = now;
        if (bucket.tokens < 1) return false;
        bucket.tokens -= 1;
        return true;
    }

private:
    using Clock = std::chrono::steady_clock;
    static constexpr std::size_t max_peers = 16'384;
    struct Bucket {
        double tokens;
        Clock::time_point at;
    };

    double tokens_at(const Bucket& bucket, Clock::time_point now) const {
        const double passed_s = std::chrono::duration<double>(now - bucket.at).count();
        return std::min(burst_, bucket.tokens + passed_s * per_s_);
    }
    void forget_idle(Clock::time_point now) {
        std::erase_if(buckets_,
                      [&](const auto& each) { return tokens_at(each.second, now) >= burst_; });
    }

    const double per_s_;
    const double burst_;
    std::mutex mutex_;
    std::unordered_map<std::string, Bucket> buckets_;
};

}  // namespace quoin::server
