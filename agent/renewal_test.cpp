#include "agent/renewal.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <vector>

namespace quoin::agent {
namespace {

using std::chrono::milliseconds;

constexpr std::int64_t minute_ms = 60'000;
constexpr std::int64_t hour_ms = 60 * minute_ms;
constexpr std::int64_t day_ms = 24 * hour_ms;

// All enrolled in the same millisecond, for 30 days: the worst that a plant can do.
TEST(renewal, plant_enrolled_at_once__renewals_spread_over_a_day_and_more) {
    constexpr int devices = 10'000;
    const Life life{.from_ms = 0, .to_ms = 30 * day_ms};
    std::vector<std::int64_t> waits;
    std::map<std::int64_t, int> by_minute;
    for (unsigned seed = 1; seed <= devices; ++seed) {
        std::minstd_rand random(seed * 2'654'435'761U);
        waits.push_back(wait_for_renewal(life, 0.66, 0, random).count());
        ++by_minute[waits.back() / minute_ms];
    }
    std::ranges::sort(waits);
    EXPECT_GE(waits.front(), static_cast<std::int64_t>(0.61 * 30.0 * day_ms) - 1);
    EXPECT_LE(waits.back(), static_cast<std::int64_t>(0.66 * 30.0 * day_ms));
    EXPECT_GT(waits.back() - waits.front(), 34 * hour_ms) << "of 36 hours";
    const auto fullest =
        std::ranges::max_element(by_minute, {}, [](const auto& minute) { return minute.second; });
    // 4.6 a minute on average.
    EXPECT_LT(fullest->second, 30) << "in minute " << fullest->first;
    EXPECT_GT(waits[devices * 9 / 10] - waits[devices / 10], 24 * hour_ms) << "nor in clusters";
}

TEST(renewal, overdue_or_without_a_life__at_once) {
    std::minstd_rand random(1);
    const Life life{.from_ms = 0, .to_ms = day_ms};
    EXPECT_EQ(wait_for_renewal(life, 0.66, day_ms, random), milliseconds(0));
    EXPECT_EQ(wait_for_renewal({.from_ms = 5, .to_ms = 4}, 0.66, 10, random), milliseconds(0));
    EXPECT_GT(wait_for_renewal(life, 0.66, 0, random), milliseconds(14 * hour_ms));
}

}  // namespace
}  // namespace quoin::agent
