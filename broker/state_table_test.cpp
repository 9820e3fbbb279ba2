#include "broker/state_table.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "broker/feed_fixture.hpp"

namespace quoin::broker {
namespace {

using feed::Grant;

constexpr Now start{1'000'000, 1'700'000'000'000};
constexpr std::int64_t lifetime_ms = 10'000;

Now after(std::int64_t ms) { return {start.boot_ms + ms, start.utc_ms + ms}; }
feed::Device device(std::uint64_t seq, std::string id, Grant grant = Grant::full) {
    return {seq, std::move(id), 1, grant, "active", "", {}};
}
feed::Device ended(std::uint64_t seq, std::string id, std::vector<std::string> serials = {}) {
    return {seq, std::move(id), 1, Grant::none, "revoked", "", std::move(serials)};
}
constexpr feed::Nonce nonce{1, 2, 3};

// One for all tests that do not look at numbers: they say nothing about revocations.
FakeIssuer& issuer() {
    static FakeIssuer made;
    return made;
}
feed::Hello hello(std::uint64_t epoch = 1) { return FakeIssuer::hello(epoch, lifetime_ms); }
feed::SnapshotEnd end(const std::vector<feed::Device>& devices, std::uint64_t seq) {
    return issuer().end(devices, seq, nonce);
}

// A table that has had a snapshot of devices "a" and "b" with sequences 1 and 2.
StateTable ready(const FakeIssuer& by = issuer()) {
    StateTable table("plant", by.issuer_key());
    table.open(nonce);
    EXPECT_TRUE(table.apply(hello(), start));
    EXPECT_TRUE(table.apply(device(1, "a"), start));
    EXPECT_TRUE(table.apply(device(2, "b", Grant::attest_only), start));
    EXPECT_TRUE(table.apply(by.end({device(1, "a"), device(2, "b")}, 2, nonce), start));
    return table;
}
void expect_as_before(const StateTable& table) {
    EXPECT_EQ(table.size(), 2U);
    EXPECT_EQ(table.grant("a", after(1)), Grant::full);
    EXPECT_EQ(table.grant("b", after(1)), Grant::attest_only);
}

TEST(state_table, nothing_said_yet__nobody_is_known_and_nothing_is_fresh) {
    const StateTable table("plant", issuer().issuer_key());
    EXPECT_FALSE(table.is_fresh(start));
    EXPECT_EQ(table.grant("a", start), Grant::none);
}

TEST(state_table, snapshot__counts_only_when_whole) {
    StateTable table("plant", issuer().issuer_key());
    table.open(nonce);
    ASSERT_TRUE(table.apply(hello(), start));
    ASSERT_TRUE(table.apply(device(1, "a"), start));
    EXPECT_EQ(table.grant("a", start), Grant::none);
    EXPECT_FALSE(table.is_fresh(start));
    const auto change = table.apply(end({device(1, "a")}, 1), start);
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
    StateTable table("plant", issuer().issuer_key());
    EXPECT_FALSE(table.apply(hello(), start)) << "before a connection";
    table.open(nonce);
    EXPECT_FALSE(table.apply(device(1, "a"), start)) << "before hello";
    table.open(nonce);
    EXPECT_FALSE(table.apply(feed::Heartbeat{0}, start));
    table.open(nonce);
    EXPECT_FALSE(table.apply(end({}, 0), start));
    table.open(nonce);
    ASSERT_TRUE(table.apply(hello(), start));
    EXPECT_FALSE(table.apply(hello(), start)) << "twice";
    StateTable live = ready();
    EXPECT_FALSE(live.apply(end({device(1, "a"), device(2, "b")}, 2), start));
}

TEST(state_table, another_site_or_endless_lifetime__is_refused) {
    StateTable table("plant", issuer().issuer_key());
    table.open(nonce);
    EXPECT_FALSE(table.apply(feed::Hello{"other", 1, lifetime_ms, {1}}, start));
    table.open(nonce);
    EXPECT_FALSE(table.apply(feed::Hello{"plant", 1, max_lifetime_ms + 1, {1}}, start));
}

TEST(state_table, snapshot_that_does_not_add_up__is_refused_and_known_state_stays) {
    const auto two = std::vector{device(3, "a"), device(4, "b")};
    const auto one = std::vector{device(3, "a")};
    const std::vector<std::vector<feed::ToPlugin>> wrong{
        {device(3, "a"), end(two, 3)},                  // count
        {device(3, "a"), end(one, 4)},                  // seq of the end
        {device(3, "a"), device(5, "b"), end(two, 5)},  // gap
        {device(3, "a"), device(4, "a"), end(two, 4)},  // twice
        {device(3, "b"), device(4, "a"), end(two, 4)},  // not ascending
        {device(2, "a"), end(one, 2)},                  // step back in the epoch
        {end({}, 1)},                                   // step back, empty
        {device(3, "a"), feed::Heartbeat{3}},           // in the middle
        {ended(3, "a"), end(one, 3)},                   // not what the head says
    };
    for (const auto& lines : wrong) {
        StateTable table = ready();
        table.open(nonce);
        ASSERT_TRUE(table.apply(hello(), after(1)));
        bool refused = false;
        for (const auto& line : lines) refused = refused || !table.apply(line, after(1));
        EXPECT_TRUE(refused);
        expect_as_before(table);
    }
}

TEST(state_table, new_snapshot__forgets_who_is_not_in_it) {
    StateTable table = ready();
    table.open(nonce);
    ASSERT_TRUE(table.apply(hello(), after(1)));
    EXPECT_EQ(table.grant("a", after(1)), Grant::full) << "until the new one is whole";
    ASSERT_TRUE(table.apply(device(7, "b"), after(1)));
    ASSERT_TRUE(table.apply(end({device(7, "b")}, 7), after(1)));
    EXPECT_EQ(table.find("a"), nullptr);
    EXPECT_EQ(table.grant("b", after(1)), Grant::full);
}

TEST(state_table, snapshot_under_way__does_not_refresh) {
    StateTable table = ready();
    table.open(nonce);
    ASSERT_TRUE(table.apply(hello(), after(9000)));
    ASSERT_TRUE(table.apply(device(3, "a"), after(9000)));
    EXPECT_FALSE(table.is_fresh(after(lifetime_ms)));
}

TEST(state_table, epoch__only_grows) {
    StateTable table = ready();
    table.open(nonce);
    ASSERT_TRUE(table.apply(hello(5), after(1)));
    ASSERT_TRUE(table.apply(device(1, "a"), after(1))) << "a new epoch counts anew";
    ASSERT_TRUE(table.apply(end({device(1, "a")}, 1), after(1)));
    table.open(nonce);
    const auto old = table.apply(hello(4), after(2));
    ASSERT_FALSE(old);
    EXPECT_EQ(old.error().code, Code::peer_replayed);
    EXPECT_EQ(table.grant("a", after(2)), Grant::full);
}

TEST(state_table, empty_plant__is_a_snapshot_too) {
    StateTable table = ready();
    table.open(nonce);
    ASSERT_TRUE(table.apply(hello(2), after(1)));
    ASSERT_TRUE(table.apply(end({}, 0), after(1)));
    EXPECT_EQ(table.size(), 0U);
    EXPECT_TRUE(table.is_fresh(after(1)));
}

// The part of quoind's end that makes statements, in a table that has seen two of them.
class revocations : public testing::Test {
protected:
    revocations() : first_(issuer_), table_(rebuilt()) {
        say(issuer_.revocation(3, {{"a", 1, {"0a"}}}));
        say(issuer_.revocation(4, {{"c", 1, {}}}));
    }
    void say(feed::ToPlugin line) {
        const auto applied = table_.apply(line, after(1));
        ASSERT_TRUE(applied) << applied.error().message;
        said_.push_back(std::move(line));
    }
    // A new connection; its greeting.
    void reconnect(std::uint64_t epoch = 1) {
        table_.open(nonce);
        said_.push_back(feed::Heartbeat{});  // stands for it
        say(hello(epoch));
    }
    // A table that has heard the same.
    StateTable rebuilt() {
        StateTable table = ready(first_);
        for (const feed::ToPlugin& line : said_) {
            if (std::holds_alternative<feed::Heartbeat>(line)) {
                table.open(nonce);
            } else {
                EXPECT_TRUE(table.apply(line, after(1)));
            }
        }
        return table;
    }
    void expect_refused(const feed::ToPlugin& line, Code code) {
        StateTable table = rebuilt();
        const auto refused = table.apply(line, after(2));
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, code) << refused.error().message;
        EXPECT_EQ(table.revocation(), 2U);
        EXPECT_EQ(table.grant("a", after(2)), Grant::none);
        EXPECT_EQ(table.grant("b", after(2)), Grant::attest_only);
        EXPECT_FALSE(table.is_fresh(after(1 + lifetime_ms))) << "nothing of it counts";
    }

    FakeIssuer issuer_;
    const FakeIssuer first_;
    std::vector<feed::ToPlugin> said_;
    StateTable table_;
};

TEST_F(revocations, statement__ends_its_devices_and_stays) {
    EXPECT_EQ(table_.revocation(), 2U);
    EXPECT_EQ(table_.grant("a", after(1)), Grant::none);
    EXPECT_EQ(table_.grant("b", after(1)), Grant::attest_only);
    EXPECT_TRUE(table_.find("a")->is_revoked("0a"));
    EXPECT_EQ(table_.find("a")->reason, "key_compromise: stolen");
    EXPECT_EQ(table_.ended(), std::vector<std::string>{"c"});
}

TEST_F(revocations, device_line__does_not_take_a_revocation_away) {
    ASSERT_TRUE(table_.apply(device(5, "a"), after(1)));
    EXPECT_EQ(table_.grant("a", after(1)), Grant::none);
    feed::Device back = device(6, "a");
    back.epoch = 2;
    ASSERT_TRUE(table_.apply(back, after(1)));
    EXPECT_EQ(table_.grant("a", after(1)), Grant::full) << "taken in again";
    EXPECT_TRUE(table_.find("a")->is_revoked("0a")) << "its old certificate is not";
    ASSERT_TRUE(table_.apply(device(7, "a", Grant::none), after(1)));
    EXPECT_EQ(table_.grant("a", after(1)), Grant::full) << "of the epoch before: overtaken";
}

TEST_F(revocations, unsigned_revocation__is_refused) {
    expect_refused(ended(5, "b"), Code::peer_forbidden);
    feed::Device with_serial = device(5, "b");
    with_serial.revoked = {"0b"};
    expect_refused(with_serial, Code::peer_forbidden);
}

TEST_F(revocations, forged_or_altered__is_refused) {
    FakeIssuer other;
    other.number = issuer_.number;
    other.last = issuer_.last;
    expect_refused(other.revocation(5, {{"b", 1, {}}}), Code::integrity_signature);
    feed::Revocation altered = issuer_.revocation(5, {{"b", 1, {}}});
    altered.statement.back() ^= 1;
    expect_refused(altered, Code::integrity_signature);
    altered = issuer_.revocation(5, {{"b", 1, {}}});
    altered.signature.clear();
    expect_refused(altered, Code::integrity_signature);
}

TEST_F(revocations, replayed_gap_or_fork__is_refused) {
    using feed::Statement;
    const auto spoilt = [&](const std::function<void(Statement&)>& change) {
        FakeIssuer forked = issuer_;
        return forked.revocation(5, {{"b", 1, {}}}, change);
    };
    expect_refused(spoilt([](Statement& s) { s.number = 2; }), Code::peer_replayed);
    expect_refused(spoilt([](Statement& s) { s.number = 1; }), Code::peer_replayed);
    expect_refused(spoilt([](Statement& s) { s.number = 4; }), Code::peer_malformed);
    expect_refused(spoilt([](Statement& s) { s.previous[0] ^= 1; }), Code::peer_malformed);
    expect_refused(spoilt([](Statement& s) { s.site = "other"; }), Code::peer_forbidden);
    feed::Revocation right = spoilt([](Statement&) {});
    right.seq = 6;
    expect_refused(right, Code::peer_malformed);
    right.seq = 5;
    EXPECT_TRUE(table_.apply(right, after(2)));
}

TEST_F(revocations, snapshot__its_head_vouches_for_them) {
    reconnect();
    const std::vector<feed::Device> devices{ended(5, "a", {"0a"}), device(6, "b"), ended(7, "c")};
    for (const feed::Device& each : devices) say(each);
    say(issuer_.end(devices, 7, nonce));
    EXPECT_EQ(table_.grant("a", after(2)), Grant::none);
    EXPECT_TRUE(table_.find("a")->is_revoked("0a"));
    ASSERT_TRUE(table_.apply(issuer_.revocation(8, {{"b", 1, {}}}), after(2))) << "goes on from it";
}

TEST_F(revocations, snapshot__more_serials_than_fit_a_line__in_the_next_ones) {
    reconnect();
    const std::vector<feed::Device> lines{ended(5, "a", {"0a"}), ended(6, "a", {"0b", "0c"}),
                                          device(7, "b"), ended(8, "c", {"0d"})};
    for (const feed::Device& each : lines) say(each);
    say(issuer_.end(lines, 8, nonce));
    for (const char* serial : {"0a", "0b", "0c"}) EXPECT_TRUE(table_.find("a")->is_revoked(serial));
    EXPECT_EQ(table_.size(), 3U);
}

TEST_F(revocations, snapshot__a_line_before_that_says_otherwise__is_refused) {
    feed::Device other_epoch = ended(5, "a");
    other_epoch.epoch = 2;
    feed::Device other_grant = device(5, "a");
    for (const feed::Device& forged : {other_epoch, other_grant}) {
        reconnect();
        say(forged);
        expect_refused(ended(6, "a", {"0a"}), Code::peer_malformed);
    }
}

TEST_F(revocations, snapshot_without_one_of_them__is_refused) {
    reconnect();
    const std::vector<feed::Device> devices{ended(5, "a", {"0a"}), device(6, "b"), ended(7, "c")};
    say(device(5, "a"));  // forged: it has ended
    say(device(6, "b"));
    say(ended(7, "c"));
    expect_refused(issuer_.end(devices, 7, nonce), Code::integrity_mismatch);
}

TEST_F(revocations, head__replayed_forged_or_behind__is_refused) {
    reconnect(2);
    const auto devices = std::vector{device(1, "b")};
    say(devices[0]);
    const auto head = [&](const std::function<void(feed::Head&)>& change) {
        return issuer_.end(devices, 1, nonce, change);
    };
    expect_refused(issuer_.end(devices, 1, {9}), Code::peer_replayed);
    expect_refused(head([](feed::Head& h) { h.number = 1; }), Code::peer_replayed);
    expect_refused(head([](feed::Head& h) { h.number = 0; }), Code::peer_replayed);
    expect_refused(head([](feed::Head& h) { h.last[0] ^= 1; }), Code::peer_replayed);
    expect_refused(head([](feed::Head& h) { h.site = "other"; }), Code::peer_replayed);
    feed::SnapshotEnd forged = head([](feed::Head&) {});
    forged.signature[0] ^= 1;
    expect_refused(forged, Code::integrity_signature);
    EXPECT_TRUE(table_.apply(head([](feed::Head& h) { h.number = 3; }), after(2)))
        << "further than what is known";
}

TEST_F(revocations, issuer_that_is_not_believed__is_refused_at_its_greeting) {
    table_.open(nonce);
    said_.push_back(feed::Heartbeat{});
    feed::Hello stranger = hello();
    stranger.issuer.clear();
    expect_refused(stranger, Code::peer_unauthenticated);
}

// Whatever comes, from a quoind that lies and has no key: who ended, stays so.
TEST_F(revocations, any_unsigned_lines__nobody_comes_back) {
    EXPECT_TRUE(rc::check([this] {
        StateTable table = rebuilt();
        std::uint64_t seq = 4;
        const auto steps = *rc::gen::container<std::vector<std::tuple<int, int, int>>>(
            rc::gen::tuple(rc::gen::inRange(0, 5), rc::gen::inRange(0, 3), rc::gen::inRange(1, 3)));
        for (const auto& [kind, who, epoch] : steps) {
            feed::Device line = device(seq + 1, std::string(1, static_cast<char>('a' + who)));
            line.epoch = static_cast<std::uint64_t>(epoch);
            bool applied = false;
            if (kind < 3) applied = table.apply(line, after(2)).has_value();
            if (kind == 3) {
                table.open(nonce);
                static_cast<void>(table.apply(hello(), after(2)));
            }
            if (kind == 4) {
                static_cast<void>(table.apply(
                    feed::SnapshotEnd{seq, 0, issuer_.end({}, seq, nonce).head, {}}, after(2)));
            }
            if (applied) seq = line.seq;
            RC_ASSERT(table.find("a")->is_revoked("0a"));
            RC_ASSERT(table.find("a")->epoch > 1 || table.find("a")->grant == Grant::none);
            RC_ASSERT(table.revocation() == 2U);
        }
    }));
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
            if (kind == 3) change = table.apply(end({device(number, id)}, number), after(1));
            if (kind == 4) table.open(nonce);
            if (change && *change != StateTable::Change::none) continue;
            RC_ASSERT(table.seq() == before);
            RC_ASSERT(table.grant("a", after(1)) == grant);
        }
    }));
}

}  // namespace
}  // namespace quoin::broker
