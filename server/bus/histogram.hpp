// How long something took, counted in buckets: what a role measures and /metrics shows.
//
// Threads: any; each add is two relaxed increments.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace quoin::server {

struct Histogram {
    // Upper bounds; one more bucket is above them all.
    static constexpr std::array<std::int64_t, 10> bounds_ms{1,  2,   5,   10,    20,
                                                            50, 100, 500, 2'000, 10'000};

    void add(std::int64_t value_ms) {
        std::size_t bucket = 0;
        while (bucket < bounds_ms.size() && value_ms > bounds_ms[bucket]) ++bucket;
        counts[bucket].fetch_add(1, std::memory_order_relaxed);
        sum_ms.fetch_add(value_ms, std::memory_order_relaxed);
    }

    std::array<std::atomic<std::uint64_t>, bounds_ms.size() + 1> counts{};
    std::atomic<std::int64_t> sum_ms{0};
};

}  // namespace quoin::server
