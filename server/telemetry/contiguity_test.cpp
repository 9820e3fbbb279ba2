#include "server/telemetry/contiguity.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <set>
#include <vector>

namespace quoin::telemetry {
namespace {

using Outcome = Contiguity::Outcome;

Outcome add(Contiguity& stream, std::uint64_t seq, std::uint64_t low = 1) {
    Contiguity::Dropped dropped;
    return stream.add(seq, low, dropped);
}

TEST(contiguity, add__in_order__follows) {
    Contiguity stream;
    for (std::uint64_t seq = 1; seq <= 5000; ++seq) {
        EXPECT_EQ(add(stream, seq), Outcome::fresh);
        EXPECT_EQ(stream.contiguous(), seq);
    }
}

TEST(contiguity, add__again__duplicate_below_and_above) {
    Contiguity stream;
    EXPECT_EQ(add(stream, 1), Outcome::fresh);
    EXPECT_EQ(add(stream, 1), Outcome::duplicate);
    EXPECT_EQ(add(stream, 3), Outcome::fresh);
    EXPECT_EQ(add(stream, 3), Outcome::duplicate);
    EXPECT_EQ(stream.contiguous(), 1U);
}

TEST(contiguity, add__gap_filled__jumps_over_what_was_there) {
    Contiguity stream;
    add(stream, 1);
    add(stream, 3);
    add(stream, 4);
    add(stream, 6);
    EXPECT_EQ(stream.contiguous(), 1U);
    EXPECT_EQ(add(stream, 2), Outcome::fresh);
    EXPECT_EQ(stream.contiguous(), 4U);
}

TEST(contiguity, add__beyond_the_window__too_far_and_nothing_changes) {
    Contiguity stream(10);
    EXPECT_EQ(add(stream, 10 + Contiguity::window + 1), Outcome::too_far);
    EXPECT_EQ(stream.contiguous(), 10U);
    EXPECT_EQ(add(stream, 10 + Contiguity::window), Outcome::fresh);
    EXPECT_EQ(add(stream, 11), Outcome::fresh);
    EXPECT_EQ(stream.contiguous(), 11U);
}

TEST(contiguity, low__above_a_gap__gives_the_missing_up_and_counts_them) {
    Contiguity stream;
    add(stream, 1);
    add(stream, 4);
    Contiguity::Dropped dropped;
    EXPECT_EQ(stream.add(7, 6, dropped), Outcome::fresh);
    EXPECT_EQ(dropped.count, 3U);  // 2, 3, 5
    EXPECT_EQ(dropped.from, 2U);
    EXPECT_EQ(dropped.to, 5U);
    EXPECT_EQ(stream.contiguous(), 5U);  // 6 is still to come
    EXPECT_EQ(add(stream, 6, 6), Outcome::fresh);
    EXPECT_EQ(stream.contiguous(), 7U);
}

TEST(contiguity, low__far_ahead__the_window_moves_with_it) {
    Contiguity stream;
    add(stream, 1);
    add(stream, 5);
    Contiguity::Dropped dropped;
    EXPECT_EQ(stream.add(1'000'000, 1'000'000, dropped), Outcome::fresh);
    EXPECT_EQ(dropped.count, 999'997U);  // 2..999999 without 5
    EXPECT_EQ(stream.contiguous(), 1'000'000U);
}

TEST(contiguity, low__too_far_sample__does_not_move_either) {
    Contiguity stream;
    EXPECT_EQ(add(stream, 5000, 100), Outcome::too_far);
    EXPECT_EQ(stream.contiguous(), 0U);
}

// Against a plain set of numbers.
RC_GTEST_PROP(contiguity, add__any_order__equals_a_set, ()) {
    Contiguity stream;
    std::set<std::uint64_t> there;
    std::uint64_t contiguous = 0;
    std::uint64_t given_up = 0;
    const auto steps = *rc::gen::container<std::vector<std::pair<unsigned, unsigned>>>(
        rc::gen::pair(rc::gen::inRange(1U, 60U), rc::gen::inRange(0U, 12U)));
    for (const auto& [ahead, held] : steps) {
        const std::uint64_t seq = contiguous + ahead > 20 ? contiguous + ahead - 20 : 1;
        const std::uint64_t low = seq > held ? seq - held : 1;
        const bool expect_fresh = seq > std::max(contiguous, low - 1) && !there.contains(seq);
        Contiguity::Dropped dropped;
        const auto outcome = stream.add(seq, low, dropped);
        for (std::uint64_t missing = contiguous + 1; missing < low; ++missing) {
            if (there.insert(missing).second) ++given_up;
        }
        there.insert(seq);
        while (there.contains(contiguous + 1)) ++contiguous;
        RC_ASSERT((outcome == Outcome::fresh) == expect_fresh);
        RC_ASSERT(stream.contiguous() == contiguous);
        given_up -= dropped.count;
        RC_ASSERT(given_up == 0U);
    }
}

}  // namespace
}  // namespace quoin::telemetry
