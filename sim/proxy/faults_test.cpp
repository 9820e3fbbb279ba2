#include "sim/proxy/faults.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace quoin::sim {
namespace {

std::vector<std::int64_t> delays(const FaultOptions& options, std::uint64_t connection) {
    Faults faults(options, connection);
    std::vector<std::int64_t> list;
    for (int i = 0; i < 100; ++i) list.push_back(faults.next(i, 100).delay_ms);
    return list;
}

TEST(faults, next__no_options__nothing_happens) {
    EXPECT_EQ(delays({}, 1), std::vector<std::int64_t>(100, 0));
}

TEST(faults, next__same_seed__same_sequence) {
    const FaultOptions options{.seed = 7, .latency_ms = 5, .jitter_ms = 20, .loss = 0.1};
    EXPECT_EQ(delays(options, 3), delays(options, 3));
    EXPECT_NE(delays(options, 3), delays(options, 4));
}

TEST(faults, next__jitter_and_loss__order_is_kept) {
    Faults faults({.latency_ms = 5, .jitter_ms = 50, .loss = 0.2, .stall = 0.05}, 1);
    std::int64_t last = 0;
    for (int now = 0; now < 1000; ++now) {
        const std::int64_t delivery = now + faults.next(now, 10).delay_ms;
        EXPECT_GE(delivery, last);
        EXPECT_GE(delivery, now + 5);
        last = delivery;
    }
}

TEST(faults, next__rate__pieces_queue_up) {
    Faults faults({.bytes_per_second = 1000}, 1);
    EXPECT_EQ(faults.next(0, 100).delay_ms, 100);
    EXPECT_EQ(faults.next(0, 100).delay_ms, 200);
    EXPECT_EQ(faults.next(1000, 100).delay_ms, 100);
}

TEST(faults, next__reset_certain__reset) {
    EXPECT_TRUE(Faults({.reset = 1}, 1).next(0, 1).reset);
    EXPECT_FALSE(Faults({.reset = 0}, 1).next(0, 1).reset);
}

}  // namespace
}  // namespace quoin::sim
