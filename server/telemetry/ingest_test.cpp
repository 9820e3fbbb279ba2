// From message to row and acknowledgement, on both backends.
#include "server/telemetry/ingest.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "server/bus/clock.hpp"
#include "server/telemetry/test_database.hpp"

namespace quoin::telemetry {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

constexpr auto patience = 20s;  // far longer than anything here takes
constexpr std::int64_t measured_ms = 1'700'000'000'000;

class ingest : public testing::TestWithParam<store::Backend> {
protected:
    void SetUp() override {
        auto key = crypto::PrivateKey::generate(crypto::Algorithm::ml_dsa_65);
        ASSERT_TRUE(key);
        log_folder_ = testing::TempDir() + fmt::format("quoin-ingest-{}-{}", ::getpid(), ++runs);
        auto log = audit::Log::open({.file = log_folder_ / "audit.jsonl"}, *std::move(key));
        ASSERT_TRUE(log) << log.error().message;
        log_ = *std::move(log);
        bus_.samples_stored.listen([this](const server::SamplesStored& event) {
            const std::lock_guard lock(mutex_);
            announced_ += event.samples.size();
        });
        test_.add_device("d1");
        test_.add_device("d2");
        options_.site = "p";
        start();
    }
    void TearDown() override {
        ingest_.reset();
        log_.reset();
        std::filesystem::remove_all(log_folder_);
    }
    void start() {
        ingest_ = std::make_unique<Ingest>(*test_.database, bus_, *log_, options_,
                                           [this](std::string topic, std::string payload) {
                                               // What is acknowledged must be in the database by
                                               // now.
                                               const std::lock_guard lock(mutex_);
                                               acks_[topic].push_back(payload);
                                               changed_.notify_all();
                                           });
    }
    void restart() {
        ingest_.reset();
        acks_.clear();
        start();
    }
    void send(std::uint64_t seq, std::uint64_t low = 1, const std::string& device = "d1",
              const std::string& stream = "s", std::int64_t ts_ms = measured_ms) {
        ingest_->accept(fmt::format("quoin/p/{}/telemetry/{}", device, stream),
                        fmt::format(R"({{"seq":{},"low":{},"ts":{},"values":{{"a":{}}}}})", seq,
                                    low, ts_ms, seq));
    }
    // Waits until the last acknowledgement of the stream says so.
    bool acked(std::uint64_t seq, const std::string& device = "d1",
               const std::string& stream = "s") {
        const std::string topic = fmt::format("quoin/p/{}/ack/{}", device, stream);
        const std::string payload = fmt::format(R"({{"seq":{}}})", seq);
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, patience, [&] {
            const auto found = acks_.find(topic);
            return found != acks_.end() && found->second.back() == payload;
        });
    }
    std::size_t ack_count(const std::string& device = "d1", const std::string& stream = "s") {
        const std::lock_guard lock(mutex_);
        return acks_[fmt::format("quoin/p/{}/ack/{}", device, stream)].size();
    }
    std::int64_t rows(const std::string& where = "1 = 1") {
        return test_.number("SELECT COUNT(*) FROM samples WHERE " + where);
    }
    // The details of all events with this id.
    std::string events(audit::Id id) {
        EXPECT_TRUE(log_->flush());
        std::string all;
        for (const auto& event : log_->events_after(0, 1000)) {
            if (event.id == id) all += event.subject + " " + event.detail + "\n";
        }
        return all;
    }

    static inline int runs = 0;
    TestDatabase test_{GetParam()};
    server::Bus bus_;
    std::filesystem::path log_folder_;
    std::unique_ptr<audit::Log> log_;
    IngestOptions options_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::string, std::vector<std::string>> acks_;
    std::size_t announced_ = 0;
    std::unique_ptr<Ingest> ingest_;
};

INSTANTIATE_TEST_SUITE_P(backends, ingest,
                         testing::Values(store::Backend::sqlite, store::Backend::postgresql),
                         [](const auto& backend) {
                             return backend.param == store::Backend::sqlite ? "sqlite"
                                                                            : "postgresql";
                         });

TEST_P(ingest, samples__in_order__stored_once_then_acknowledged) {
    for (std::uint64_t seq = 1; seq <= 2500; ++seq) send(seq);
    ASSERT_TRUE(acked(2500));
    EXPECT_EQ(rows(), 2500);
    EXPECT_EQ(test_.number("SELECT contiguous FROM streams"), 2500);
    EXPECT_EQ(ingest_->counters().stored, 2500U);
    EXPECT_EQ(ingest_->counters().queued, 0U);
    EXPECT_LT(ack_count(), 200U);  // coalesced
    const std::lock_guard lock(mutex_);
    EXPECT_EQ(announced_, 2500U);
}

TEST_P(ingest, samples__of_several_streams__each_has_its_own_count) {
    for (std::uint64_t seq = 1; seq <= 50; ++seq) {
        send(seq);
        send(seq, 1, "d1", "t");
        if (seq <= 20) send(seq, 1, "d2");
    }
    EXPECT_TRUE(acked(50));
    EXPECT_TRUE(acked(50, "d1", "t"));
    EXPECT_TRUE(acked(20, "d2"));
    EXPECT_EQ(rows(), 120);
}

TEST_P(ingest, duplicate__of_what_is_acknowledged__acknowledged_again_not_stored) {
    send(1);
    ASSERT_TRUE(acked(1));
    const auto before = ack_count();
    send(1);
    {
        std::unique_lock lock(mutex_);
        ASSERT_TRUE(changed_.wait_for(lock, patience,
                                      [&] { return acks_["quoin/p/d1/ack/s"].size() > before; }));
    }
    EXPECT_EQ(rows(), 1);
    EXPECT_EQ(ingest_->counters().duplicates, 1U);
}

TEST_P(ingest, gap__then_filled__acknowledged_up_to_what_is_whole) {
    send(1);
    send(3);
    send(4);
    ASSERT_TRUE(acked(1));
    send(2);
    ASSERT_TRUE(acked(4));
    EXPECT_EQ(rows(), 4);
}

TEST_P(ingest, low__above_a_gap__acknowledged_and_an_event_says_how_many) {
    send(1);
    send(10, 9);
    send(9, 9);
    ASSERT_TRUE(acked(10));
    EXPECT_EQ(rows(), 3);
    EXPECT_THAT(events(audit::Id::telemetry_samples_dropped), HasSubstr("\"count\":7"));
    EXPECT_EQ(ingest_->counters().lost, 7U);
}

TEST_P(ingest, sample__beyond_the_window__refused_and_the_rest_goes_on) {
    send(1);
    send(2002);
    send(2001);
    send(2);
    ASSERT_TRUE(acked(2));
    EXPECT_EQ(rows("seq = 2002"), 0);
    EXPECT_EQ(rows("seq = 2001"), 1);
    EXPECT_THAT(events(audit::Id::telemetry_sample_rejected), HasSubstr("more than 2000 above"));
}

TEST_P(ingest, restart__in_the_middle_of_a_gap__goes_on_where_the_database_is) {
    for (const std::uint64_t seq : {1U, 2U, 4U, 5U}) send(seq);
    ASSERT_TRUE(acked(2));
    restart();
    send(5);  // a duplicate above the gap
    send(3);
    ASSERT_TRUE(acked(5));
    EXPECT_EQ(rows(), 5);
    restart();
    for (std::uint64_t seq = 1; seq <= 6; ++seq) send(seq);  // all again, and one more
    ASSERT_TRUE(acked(6));
    EXPECT_EQ(rows(), 6);
}

TEST_P(ingest, malformed__among_good_ones__rejected_with_an_event_never_stops) {
    ingest_->accept("quoin/p/d1/telemetry/s", "garbage");
    ingest_->accept("quoin/p/d1/telemetry/s", std::string(5000, '{'));
    ingest_->accept("quoin/p/d1/telemetry/S", "{}");
    ingest_->accept("quoin/p/ghost/telemetry/s",
                    R"({"seq":1,"low":1,"ts":1700000000000,"values":{"a":1}})");
    send(1);
    ASSERT_TRUE(acked(1));
    EXPECT_EQ(ingest_->counters().rejected, 4U);
    const std::string rejected = events(audit::Id::telemetry_sample_rejected);
    EXPECT_THAT(rejected, HasSubstr("d1 {\"stream\":\"s\",\"why\":\"cannot be parsed at byte"));
    EXPECT_THAT(rejected, HasSubstr("oversize: 5000 bytes"));
    EXPECT_THAT(rejected, HasSubstr("the stream is not"));
    EXPECT_THAT(rejected, HasSubstr("ghost {\"stream\":\"s\",\"why\":\"the device is not in the"));
}

TEST_P(ingest, rate__exceeded_by_one_device__the_other_is_not_touched) {
    ingest_.reset();
    options_.rate_per_s = 0.001;
    options_.burst = 10;
    start();
    for (std::uint64_t seq = 1; seq <= 30; ++seq) send(seq);
    for (std::uint64_t seq = 1; seq <= 10; ++seq) send(seq, 1, "d2");
    EXPECT_TRUE(acked(10));
    EXPECT_TRUE(acked(10, "d2"));
    EXPECT_EQ(ingest_->counters().rejected, 20U);
    EXPECT_THAT(events(audit::Id::telemetry_rate_exceeded), HasSubstr("d1 "));
}

TEST_P(ingest, streams__more_than_allowed__refused) {
    ingest_.reset();
    options_.max_streams = 2;
    start();
    for (const std::string stream : {"a", "b", "c"}) send(1, 1, "d1", stream);
    EXPECT_TRUE(acked(1, "d1", "b"));
    EXPECT_EQ(ingest_->counters().rejected, 1U);
    EXPECT_EQ(test_.number("SELECT COUNT(*) FROM streams"), 2);
}

TEST_P(ingest, queue__full_while_the_database_refuses__dropped_without_acknowledgement) {
    send(1);
    ASSERT_TRUE(acked(1));
    ingest_.reset();
    options_.queue_capacity = 5;
    test_.run("ALTER TABLE samples RENAME TO samples_away");
    start();
    for (std::uint64_t seq = 2; seq <= 40; ++seq) send(seq);
    EXPECT_GT(ingest_->counters().overflow, 20U);
    {
        // The failure is told once, and no acknowledgement goes out.
        std::unique_lock lock(mutex_);
        const auto until = std::chrono::steady_clock::now() + patience;
        while (ingest_->ready() && std::chrono::steady_clock::now() < until) {
            changed_.wait_for(lock, 1ms);
        }
    }
    EXPECT_FALSE(ingest_->ready());
    EXPECT_EQ(ack_count(), 1U);
    EXPECT_THAT(events(audit::Id::telemetry_store_failed), HasSubstr("opening streams"));
    test_.run("ALTER TABLE samples_away RENAME TO samples");
    // The device sends again from the acknowledged one on.
    ASSERT_TRUE(ingest_->counters().received >= 39U);
    std::uint64_t acknowledged = 1;
    for (int round = 0; round < 1000 && acknowledged < 10; ++round) {
        for (std::uint64_t seq = acknowledged + 1; seq <= 10; ++seq) send(seq);
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, 100ms,
                          [&] { return acks_["quoin/p/d1/ack/s"].back() == R"({"seq":10})"; });
        acknowledged = std::stoull(acks_["quoin/p/d1/ack/s"].back().substr(7));
    }
    EXPECT_EQ(acknowledged, 10U);
    EXPECT_TRUE(ingest_->ready());
    EXPECT_EQ(rows(), 10);
}

TEST_P(ingest, database__restarted_under_load__every_acknowledged_sample_is_there_once) {
    if (GetParam() == store::Backend::sqlite) {
        // SQLite has no server to restart: the file is the database.
        for (std::uint64_t seq = 1; seq <= 100; ++seq) send(seq);
        ASSERT_TRUE(acked(100));
        EXPECT_EQ(rows(), 100);
        return;
    }
    for (std::uint64_t seq = 1; seq <= 500; ++seq) send(seq);
    test_.restart_server();
    for (std::uint64_t seq = 501; seq <= 1000; ++seq) send(seq);
    ASSERT_TRUE(acked(1000));
    EXPECT_EQ(rows(), 1000);
}

TEST_P(ingest, verdict__untrusted__marks_what_was_and_what_comes_until_trusted) {
    send(1);
    ASSERT_TRUE(acked(1));
    ingest_->verdict("d1", false, measured_ms + 100);
    send(2);
    send(1, 1, "d2");
    ASSERT_TRUE(acked(2));
    ASSERT_TRUE(acked(1, "d2"));
    EXPECT_EQ(rows("suspect = 1"), 2);
    ingest_->verdict("d1", true, measured_ms + 200);
    send(3, 1, "d1", "s", measured_ms + 201);
    ASSERT_TRUE(acked(3));
    EXPECT_EQ(rows("suspect = 1"), 2);
    EXPECT_THAT(events(audit::Id::telemetry_samples_suspect), HasSubstr("d1 {\"count\":1}"));
}

// The queue of a device that was shut out: it arrives after the release, and says what it likes.
TEST_P(ingest, verdict__trusted_again__what_claims_to_be_older_or_from_the_future_is_suspect) {
    const std::int64_t now = server::now_ms();
    ingest_->verdict("d1", false, now - 200);
    ingest_->verdict("d1", true, now - 100);
    send(1, 1, "d1", "s", measured_ms);
    send(2, 1, "d1", "s", now - 100);
    send(3, 1, "d1", "s", now - 99);
    send(4, 1, "d1", "s", now + 3'600'000);
    ASSERT_TRUE(acked(4));
    EXPECT_EQ(rows("suspect = 1"), 3);
    EXPECT_EQ(rows("suspect = 1 AND seq = 3"), 0);
    restart();
    send(5, 1, "d1", "s", now - 150);
    ASSERT_TRUE(acked(5));
    EXPECT_EQ(rows("suspect = 1"), 4);
}

TEST_P(ingest, sample_of_a_wrong_clock__given_up_and_the_stream_goes_on) {
    send(1);
    send(2, 1, "d1", "s", server::now_ms() + 40 * day_ms);
    send(3);
    ASSERT_TRUE(acked(3));
    EXPECT_EQ(rows(), 2);
    EXPECT_EQ(ingest_->counters().lost, 1U);
    EXPECT_THAT(events(audit::Id::telemetry_sample_rejected), HasSubstr("ts: "));
    EXPECT_THAT(events(audit::Id::telemetry_samples_dropped),
                HasSubstr(R"({"stream":"s","count":1,"from":2,"to":2})"));
    send(2);  // acknowledged: an agent forgets it; one that does not is told again
    send(4);
    ASSERT_TRUE(acked(4));
    EXPECT_EQ(rows(), 3);
}

TEST_P(ingest, crash__between_verdict_and_marks__marked_at_the_next_start) {
    send(1);
    ASSERT_TRUE(acked(1));
    test_.run("UPDATE devices SET verdict = 'untrusted', verdict_ms = 5 WHERE device_id = 'd1'");
    restart();
    send(1, 1, "d2");
    ASSERT_TRUE(acked(1, "d2"));
    EXPECT_EQ(rows("suspect = 1"), 1);
    EXPECT_THAT(events(audit::Id::telemetry_samples_suspect), HasSubstr("d1 {\"count\":1}"));
    // And after a pass that it was not told of.
    test_.run("UPDATE devices SET verdict = 'trusted', verdict_ms = " +
              std::to_string(measured_ms + 100) + " WHERE device_id = 'd1'");
    restart();
    send(2, 1, "d1", "s", measured_ms + 100);
    send(3, 1, "d1", "s", measured_ms + 101);
    ASSERT_TRUE(acked(3));
    EXPECT_EQ(rows("suspect = 1 AND seq = 2"), 1);
    EXPECT_EQ(rows("suspect = 1"), 2);
}

TEST_P(ingest, stop__with_samples_queued__ends_at_once_and_acknowledges_nothing_uncommitted) {
    for (std::uint64_t seq = 1; seq <= 5000; ++seq) send(seq);
    ingest_->stop();
    const std::int64_t stored = rows();
    const auto acks = acks_["quoin/p/d1/ack/s"];
    if (!acks.empty()) {
        const auto last = std::stoll(acks.back().substr(7));
        EXPECT_LE(last, stored);
    }
}

}  // namespace
}  // namespace quoin::telemetry
