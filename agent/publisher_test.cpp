#include "agent/publisher.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <nlohmann/json.hpp>

#include "agent/test_folder.hpp"

namespace quoin::agent {
namespace {

using std::chrono::milliseconds;

constexpr std::int64_t time_ms = 1'700'000'000'000;

// A broker's side that the test plays: keeps what was published, and runs delayed work on demand.
class FakeOutlet final : public Outlet {
public:
    struct Published {
        std::string topic;
        nlohmann::json payload;
        std::function<void(Result<void>)> done;
    };
    void publish(std::string topic, std::string payload,
                 std::function<void(Result<void>)> done) override {
        published.push_back({std::move(topic), nlohmann::json::parse(payload), std::move(done)});
    }
    void post(std::function<void()> work) override { after(milliseconds(0), std::move(work)); }
    void after(milliseconds delay, std::function<void()> work) override {
        delayed.emplace_back(delay, std::move(work));
    }
    // Runs what was delayed by at most `most`, as if that time had passed.
    void pass(milliseconds most) {
        std::deque<std::pair<milliseconds, std::function<void()>>> now;
        now.swap(delayed);
        for (auto& [delay, work] : now) {
            if (delay <= most) {
                work();
            } else {
                delayed.emplace_back(delay, std::move(work));
            }
        }
    }
    std::vector<std::uint64_t> sequences(const std::string& stream) const {
        std::vector<std::uint64_t> out;
        for (const Published& one : published) {
            if (one.topic.ends_with("/telemetry/" + stream)) out.push_back(one.payload["seq"]);
        }
        return out;
    }
    void puback_all() {
        auto now = std::exchange(published, {});
        for (auto& one : now) one.done({});
    }

    std::vector<Published> published;
    std::deque<std::pair<milliseconds, std::function<void()>>> delayed;
};

class publisher : public testing::Test {
protected:
    publisher()
        : queue(*Queue::open(folder.path() / "queue.sqlite", {})),
          sut(*queue, outlet, "quoin/s/d") {}
    void add(const std::string& stream, int count) {
        std::vector<Sample> samples;
        for (int i = 0; i < count; ++i) samples.push_back({stream, time_ms, {{"v", double(i)}}});
        ASSERT_TRUE(queue->add(samples, std::nullopt));
    }
    // Connects, and accepts the one sample that is sent first.
    void connect() {
        sut.connected();
        if (outlet.published.empty()) return;
        EXPECT_EQ(outlet.published.size(), 1U);
        const auto first = outlet.published.front();
        first.done({});
    }
    void ack(const std::string& stream, std::uint64_t seq) {
        sut.acknowledged(stream, fmt::format(R"({{"seq":{}}})", seq));
        outlet.pass(milliseconds(20));
    }

    test::TempFolder folder;
    FakeOutlet outlet;
    std::unique_ptr<Queue> queue;
    Publisher sut;
};

using Sequences = std::vector<std::uint64_t>;

TEST_F(publisher, connected__sends_everything_in_order__and_nothing_before) {
    add("a", 3);
    sut.wake();
    outlet.pass(milliseconds(0));
    EXPECT_TRUE(outlet.published.empty());
    connect();
    EXPECT_EQ(outlet.sequences("a"), (Sequences{1, 2, 3}));
    EXPECT_EQ(outlet.published[0].topic, "quoin/s/d/telemetry/a");
    EXPECT_EQ(outlet.published[2].payload["low"], 1);
    EXPECT_EQ(outlet.published[2].payload["ts"], time_ms);
}

TEST_F(publisher, puback__frees_nothing__and_an_ack_does) {
    add("a", 3);
    connect();
    outlet.puback_all();
    EXPECT_EQ(queue->rows(), 3U);
    ack("a", 2);
    EXPECT_EQ(queue->rows(), 1U);
}

TEST_F(publisher, reconnected__sends_again_above_the_ack) {
    add("a", 4);
    connect();
    outlet.puback_all();
    ack("a", 2);
    sut.disconnected();
    add("a", 1);
    sut.wake();
    outlet.pass(milliseconds(0));
    EXPECT_TRUE(outlet.published.empty());
    connect();
    EXPECT_EQ(outlet.sequences("a"), (Sequences{3, 4, 5}));
    EXPECT_EQ(outlet.published[0].payload["low"], 3);
}

TEST_F(publisher, window__at_most_1000_unacknowledged__over_all_streams) {
    add("a", 900);
    add("b", 900);
    connect();
    EXPECT_EQ(outlet.published.size(), window);
    EXPECT_FALSE(outlet.sequences("b").empty());
    outlet.puback_all();
    EXPECT_TRUE(outlet.published.empty());  // a PUBACK opens no room
    ack("a", 10);
    EXPECT_EQ(outlet.published.size(), 10U);
}

TEST_F(publisher, connected__sends_one__until_a_puback_accepts) {
    add("a", 3);
    sut.connected();
    EXPECT_EQ(outlet.sequences("a"), (Sequences{1}));
    outlet.puback_all();
    EXPECT_EQ(outlet.sequences("a"), (Sequences{2, 3}));
}

TEST_F(publisher, wake__new_samples__go_out) {
    connect();
    add("a", 1);
    sut.wake();
    sut.wake();
    EXPECT_LE(outlet.delayed.size(), 2U);  // one wake and the tick
    outlet.pass(milliseconds(0));
    EXPECT_EQ(outlet.sequences("a"), (Sequences{1}));
}

TEST_F(publisher, forbidden__pauses__then_probes_with_one__then_sends_all) {
    add("a", 5);
    connect();
    ASSERT_EQ(outlet.sequences("a"), (Sequences{1, 2, 3, 4, 5}));
    auto refused = std::exchange(outlet.published, {});
    for (auto& one : refused) one.done(fail(Code::peer_forbidden, "not authorized"));
    sut.wake();
    outlet.pass(milliseconds(0));
    EXPECT_TRUE(outlet.published.empty());
    outlet.pass(milliseconds(1000));
    EXPECT_EQ(outlet.sequences("a"), (Sequences{1}));
    outlet.puback_all();
    EXPECT_EQ(outlet.sequences("a"), (Sequences{2, 3, 4, 5}));
}

TEST_F(publisher, forbidden_again__waits_longer__but_evidence_shortens_it) {
    add("a", 1);
    sut.connected();
    for (int i = 0; i < 4; ++i) {
        auto refused = std::exchange(outlet.published, {});
        ASSERT_EQ(refused.size(), 1U);
        refused[0].done(fail(Code::peer_forbidden, "not authorized"));
        if (i < 3) outlet.pass(milliseconds(1000 << i));
    }
    outlet.pass(milliseconds(1000));
    EXPECT_TRUE(outlet.published.empty());  // 4 s to 8 s by now
    sut.evidence_sent();
    outlet.pass(milliseconds(300));
    EXPECT_EQ(outlet.sequences("a"), (Sequences{1}));
}

TEST_F(publisher, answers_of_an_older_connection__are_ignored) {
    add("a", 1);
    sut.connected();
    auto old = std::exchange(outlet.published, {});
    sut.disconnected();
    connect();
    ASSERT_EQ(outlet.sequences("a"), (Sequences{1}));
    old[0].done(fail(Code::peer_forbidden, "of the old connection"));
    add("a", 1);
    sut.wake();
    outlet.pass(milliseconds(0));
    EXPECT_EQ(outlet.sequences("a"), (Sequences{1, 2}));  // not paused
}

TEST_F(publisher, ack__malformed_or_of_a_wrong_stream__changes_nothing) {
    add("a", 2);
    connect();
    sut.acknowledged("a", "{\"seq\":-1}");
    sut.acknowledged("../x", "{\"seq\":1}");
    outlet.pass(milliseconds(1000));
    EXPECT_EQ(queue->rows(), 2U);
}

TEST_F(publisher, ack_above_the_queue__renumbers_and_sends_again) {
    add("a", 2);
    connect();
    outlet.puback_all();
    ack("a", 40);
    EXPECT_EQ(outlet.sequences("a"), (Sequences{41, 42}));
    EXPECT_EQ(outlet.published[0].payload["low"], 41);
}

}  // namespace
}  // namespace quoin::agent
