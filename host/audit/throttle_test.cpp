#include "host/audit/throttle.hpp"

#include <gtest/gtest.h>

namespace quoin::audit {
namespace {

using namespace std::chrono_literals;
constexpr Id denied = Id::broker_access_denied;
const Throttle::Clock::time_point start{std::chrono::hours(1)};

TEST(audit_throttle, admit__burst_then_more__refused_until_refilled) {
    Throttle throttle(3, 1000ms);
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(throttle.admit(denied, "a", start));
    EXPECT_FALSE(throttle.admit(denied, "a", start + 999ms));
    EXPECT_TRUE(throttle.admit(denied, "a", start + 1000ms));
    EXPECT_FALSE(throttle.admit(denied, "a", start + 1999ms));
    // Full again, and no fuller than the burst.
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(throttle.admit(denied, "a", start + 1h));
    EXPECT_FALSE(throttle.admit(denied, "a", start + 1h));
}

TEST(audit_throttle, admit__flood_of_one__no_other_is_touched) {
    Throttle throttle(2, 1000ms);
    for (int i = 0; i < 100; ++i) (void)throttle.admit(denied, "a", start);
    EXPECT_TRUE(throttle.admit(denied, "b", start));
    EXPECT_TRUE(throttle.admit(Id::broker_session_refused, "a", start));
}

TEST(audit_throttle, take_due__suppressed__told_once_after_a_minute_or_at_the_end) {
    Throttle throttle(1, 1000ms);
    for (int i = 0; i < 5; ++i) (void)throttle.admit(denied, "a", start);
    EXPECT_TRUE(throttle.has_suppressed());
    EXPECT_TRUE(throttle.take_due(start + 59s, false).empty());
    const auto due = throttle.take_due(start + 60s, false);
    ASSERT_EQ(due.size(), 1U);
    EXPECT_EQ(due[0].count, 4U);
    EXPECT_EQ(due[0].subject, "a");
    EXPECT_FALSE(throttle.has_suppressed());
    EXPECT_TRUE(throttle.admit(denied, "a", start + 61s));
    EXPECT_FALSE(throttle.admit(denied, "a", start + 61s));
    EXPECT_EQ(throttle.take_due(start + 61s, true).size(), 1U);
}

TEST(audit_throttle, admit__endless_subjects__bounded_and_still_limited) {
    Throttle throttle(1, 1000ms);
    std::uint64_t admitted = 0;
    for (int i = 0; i < 20'000; ++i) {
        if (throttle.admit(denied, "id-" + std::to_string(i), start)) ++admitted;
    }
    EXPECT_EQ(admitted, Throttle::max_buckets + 1);
    // When the flood is over, its buckets make room.
    EXPECT_TRUE(throttle.admit(denied, "new", start + 2s));
}

}  // namespace
}  // namespace quoin::audit
