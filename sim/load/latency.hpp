// Times of many things, and their percentiles.
#pragma once

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

namespace quoin::sim {

class Latencies {
public:
    void add(double ms) { list_.push_back(ms); }
    void add(const Latencies& other) {
        list_.insert(list_.end(), other.list_.begin(), other.list_.end());
    }
    std::size_t count() const { return list_.size(); }

    // Nearest rank; `share` in (0, 1]. 0 when there are none.
    double percentile(double share) const {
        if (list_.empty()) return 0;
        std::vector<double> sorted = list_;
        std::ranges::sort(sorted);
        const auto rank = static_cast<std::size_t>(share * static_cast<double>(sorted.size()));
        return sorted[std::min(rank, sorted.size() - 1)];
    }

    nlohmann::json summary() const {
        return {{"p50", percentile(0.5)}, {"p99", percentile(0.99)}, {"max", percentile(1)}};
    }

private:
    std::vector<double> list_;
};

}  // namespace quoin::sim
