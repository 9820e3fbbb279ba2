#include "broker/state_table.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace quoin::broker {
namespace {

using feed::Grant;

constexpr Now start{1'000'000, 1'700'000'000'000};
constexpr std::int64_t lifetime_ms = 10'000;

Now after(std::int64_t ms) { return {start.boot_ms + ms, start.utc_ms + ms}; }
feed::Device device(std::uint64_t seq, std::string id, Grant grant = Grant::full) {
    return {seq, std::move(id), grant, "active", "", {}};
}
feed::Hello hello(std::uint64_t epoch = 1) { return {"plant", epoch, lifetime_ms}; }

// A table that has had a snapshot of devices "a" and "b" with sequences 1 and 2.
StateTable ready() {
    StateTable table("plant");
    table.open();
    EXPECT_TRUE(table.apply(hello(), start));
    EXPECT_TRUE(table.apply(device(1, "a"), start));
    EXPECT_TRUE(table.apply(device(2, "b", Grant::attest_only), start));
    EXPECT_TRUE(table.apply(feed::SnapshotEnd{2, 2}, start));
    return table;
}
void expect_as_before(const StateTable& table) {
    EXPECT_EQ(table.size(), 2U);
    EXPECT_EQ(table.grant("a", after(1)), Grant::full);
    EXPECT_EQ(table.grant("b", after(1)), Grant::attest_only);
}

TEST(state_table, nothing_said_yet__nobody_is_known_and_nothing_is_fresh) {
    const StateTable table("plant");
    EXPECT_FALSE(table.is_fresh(start));
    EXPECT_EQ(table.grant("a", start), Grant::none);
}

TEST(state_table, snapshot__counts_only_when_whole) {
    StateTable table("plant");
    table.open();
    ASSERT_TRUE(table.apply(hello(), start));
    ASSERT_TRUE(table.apply(device(1, "a"), start));
    EXPECT_EQ(table.grant("a", start), Grant::none);
    EXPECT_FALSE(table.is_fresh(start));
    const auto change = table.apply(feed::SnapshotEnd{1, 1}, start);
    ASSERT_TRUE(change);
    EXPECT_EQ(*change, StateTable::Change::everything);
    EXPECT_EQ(table.grant("a", start), Grant::full);
}

TEST(state_table, change__is_applied_and_unknown_stays_unknown) {
    StateTable table = ready();
    ASSERT_TRUE(table.apply(device(3, "a", Grant::none), after(1)));
    EXPECT_EQ(table.grant("a", after(1)), Grant::none);
    EXPECT_EQ(table.grant("c", after(1)), Grant::none);
    EXPECT_EQ(table.find("c"), nullptr);
}

TEST(state_table, lifetime__ends_exactly_after_the_last_line) {
    StateTable table = ready();
    EXPECT_EQ(table.grant("a", after(lifetime_ms - 1)), Grant::full);
    EXPECT_EQ(table.grant("a", after(lifetime_ms)), Grant::none);
    ASSERT_TRUE(table.apply(feed::Heartbeat{2}, after(5000)));
    EXPECT_EQ(table.grant("a", after(lifetime_ms)), Grant::full);
    EXPECT_EQ(table.grant("a", after(lifetime_ms + 5000)), Grant::none);
}

TEST(state_table, clock_of_the_day_moves__freshness_does_not) {
    const StateTable table = ready();
    EXPECT_TRUE(table.is_fresh({start.boot_ms + 1, 0}));
    EXPECT_TRUE(table.is_fresh({start.boot_ms + 1, start.utc_ms * 2}));
}

TEST(state_table, gap_or_step_back__is_refused_and_known_state_stays) {
    for (const std::uint64_t seq : {0U, 1U, 2U, 4U, 100U}) {
        StateTable table = ready();
        EXPECT_FALSE(table.apply(device(seq, "a", Grant::none), after(1))) << seq;
        expect_as_before(table);
        // The connection is done: not even the right line counts now.
        EXPECT_FALSE(table.apply(device(3, "a", Grant::none), after(1)));
        expect_as_before(table);
    }
}

TEST(state_table, heartbeat_of_another_seq__is_refused_and_does_not_refresh) {
    StateTable table = ready();
    EXPECT_FALSE(table.apply(feed::Heartbeat{3}, after(9000)));
    EXPECT_FALSE(table.is_fresh(after(lifetime_ms)));
}

TEST(state_table, out_of_turn__is_refused) {
    StateTable table("plant");
    EXPECT_FALSE(table.apply(hello(), start)) << "before a connection";
    table.open();
    EXPECT_FALSE(table.apply(device(1, "a"), start)) << "before hello";
    table.open();
    EXPECT_FALSE(table.apply(feed::Heartbeat{0}, start));
    table.open();
    EXPECT_FALSE(table.apply(feed::SnapshotEnd{0, 0}, start));
    table.open();
    ASSERT_TRUE(table.apply(hello(), start));
    EXPECT_FALSE(table.apply(hello(), start)) << "twice";
    StateTable live = ready();
    EXPECT_FALSE(live.apply(feed::SnapshotEnd{2, 2}, start));
}

TEST(state_table, another_site_or_endless_lifetime__is_refused) {
    StateTable table("plant");
    table.open();
    EXPECT_FALSE(table.apply(feed::Hello{"other", 1, lifetime_ms}, start));
    table.open();
    EXPECT_FALSE(table.apply(feed::Hello{"plant", 1, max_lifetime_ms + 1}, start));
}

TEST(state_table, snapshot_that_does_not_add_up__is_refused_and_known_state_stays) {
    const std::vector<std::vector<feed::ToPlugin>> wrong{
        {device(3, "a"), feed::SnapshotEnd{3, 2}},                  // count
        {device(3, "a"), feed::SnapshotEnd{4, 1}},                  // seq of the end
        {device(3, "a"), device(5, "b"), feed::SnapshotEnd{5, 2}},  // gap
        {device(3, "a"), device(4, "a"), feed::SnapshotEnd{4, 2}},  // twice
        {device(2, "a"), feed::SnapshotEnd{2, 1}},                  // step back in the epoch
        {feed::SnapshotEnd{1, 0}},                                  // step back, empty
        {device(3, "a"), feed::Heartbeat{3}},                       // in the middle
    };
    for (const auto& lines : wrong) {
        StateTable table = ready();
        table.open();
        ASSERT_TRUE(table.apply(hello(), after(1)));
        bool refused = false;
        for (const auto& line : lines) refused = refused || !table.apply(line, after(1));
        EXPECT_TRUE(refused);
        expect_as_before(table);
    }
}

TEST(state_table, new_snapshot__forgets_who_is_not_in_it) {
    StateTable table = ready();
    table.open();
    ASSERT_TRUE(table.apply(hello(), after(1)));
    EXPECT_EQ(table.grant("a", after(1)), Grant::full) << "until the new one is whole";
    ASSERT_TRUE(table.apply(device(7, "b"), after(1)));
    ASSERT_TRUE(table.apply(feed::SnapshotEnd{7, 1}, after(1)));
    EXPECT_EQ(table.find("a"), nullptr);
    EXPECT_EQ(table.grant("b", after(1)), Grant::full);
}

TEST(state_table, snapshot_under_way__does_not_refresh) {
    StateTable table = ready();
    table.open();
    ASSERT_TRUE(table.apply(hello(), after(9000)));
    ASSERT_TRUE(table.apply(device(3, "a"), after(9000)));
    EXPECT_FALSE(table.is_fresh(after(lifetime_ms)));
}

TEST(state_table, epoch__only_grows) {
    StateTable table = ready();
    table.open();
    ASSERT_TRUE(table.apply(hello(5), after(1)));
    ASSERT_TRUE(table.apply(device(1, "a"), after(1))) << "a new epoch counts anew";
    ASSERT_TRUE(table.apply(feed::SnapshotEnd{1, 1}, after(1)));
    table.open();
    const auto old = table.apply(hello(4), after(2));
    ASSERT_FALSE(old);
    EXPECT_EQ(old.error().code, Code::peer_replayed);
    EXPECT_EQ(table.grant("a", after(2)), Grant::full);
}

TEST(state_table, empty_plant__is_a_snapshot_too) {
    StateTable table = ready();
    table.open();
    ASSERT_TRUE(table.apply(hello(2), after(1)));
    ASSERT_TRUE(table.apply(feed::SnapshotEnd{0, 0}, after(1)));
    EXPECT_EQ(table.size(), 0U);
    EXPECT_TRUE(table.is_fresh(after(1)));
}

// Whatever lines come in whatever order: what is known changes only by a line that was accepted.
TEST(state_table, any_lines__a_refused_one_changes_nothing) {
    EXPECT_TRUE(rc::check([] {
        StateTable table = ready();
        const auto steps = *rc::gen::container<std::vector<std::tuple<int, int, int>>>(
            rc::gen::tuple(rc::gen::inRange(0, 5), rc::gen::inRange(0, 6), rc::gen::inRange(0, 3)));
        for (const auto& [kind, seq, who] : steps) {
            const auto before = table.seq();
            const auto grant = table.grant("a", after(1));
            const auto number = static_cast<std::uint64_t>(seq);
            const std::string id(1, static_cast<char>('a' + who));
            Result<StateTable::Change> change = StateTable::Change::none;
            if (kind == 0) change = table.apply(device(number, id, Grant::none), after(1));
            if (kind == 1) change = table.apply(feed::Heartbeat{number}, after(1));
            if (kind == 2) change = table.apply(hello(number), after(1));
            if (kind == 3) change = table.apply(feed::SnapshotEnd{number, 1}, after(1));
            if (kind == 4) table.open();
            if (change && *change != StateTable::Change::none) continue;
            RC_ASSERT(table.seq() == before);
            RC_ASSERT(table.grant("a", after(1)) == grant);
        }
    }));
}

}  // namespace
}  // namespace quoin::broker
