// The same tests on both backends.
#include "server/telemetry/sample_store.hpp"

#include <gtest/gtest.h>

#include "server/telemetry/distrust.hpp"
#include "server/telemetry/test_database.hpp"

namespace quoin::telemetry {
namespace {

class sample_store : public testing::TestWithParam<store::Backend> {
protected:
    TestDatabase test_{GetParam()};
    store::Database& database() { return *test_.database; }

    std::int64_t open(std::string_view device, std::string_view stream) {
        const auto opened = open_streams(database(), std::vector{StreamName{device, stream}});
        EXPECT_TRUE(opened);
        EXPECT_TRUE(opened->at(0).known_device);
        return opened->at(0).key;
    }
    // Samples from..to with stored_ms = 1000 * seq and ts_ms = seq.
    void store(std::int64_t key, std::int64_t from, std::int64_t to) {
        Batch batch;
        for (std::int64_t seq = from; seq <= to; ++seq) {
            batch.stream_keys.push_back(key);
            batch.seqs.push_back(seq);
            batch.ts_ms.push_back(seq);
            batch.stored_ms.push_back(1000 * seq);
            batch.suspect.push_back(0);
            batch.values.emplace_back(R"({"a":"it's \"quoted\" \\ :b"})");
        }
        batch.progress.push_back({key, static_cast<std::uint64_t>(to)});
        const auto stored = store_batch(database(), batch);
        EXPECT_TRUE(stored) << stored.error().message;
        EXPECT_EQ(batch.seqs.size(), static_cast<std::size_t>(to - from + 1));  // given back
    }
    std::vector<std::uint64_t> seqs(const SampleFilter& filter) {
        const auto found = query(database(), filter);
        EXPECT_TRUE(found) << found.error().message;
        std::vector<std::uint64_t> all;
        for (const auto& sample : *found) all.push_back(sample.seq);
        return all;
    }
};

INSTANTIATE_TEST_SUITE_P(backends, sample_store,
                         testing::Values(store::Backend::sqlite, store::Backend::postgresql),
                         [](const auto& backend) {
                             return backend.param == store::Backend::sqlite ? "sqlite"
                                                                            : "postgresql";
                         });

TEST_P(sample_store, open_streams__unknown_device__nothing_is_made) {
    const auto opened = open_streams(database(), std::vector{StreamName{"ghost", "a"}});
    ASSERT_TRUE(opened);
    EXPECT_FALSE(opened->at(0).known_device);
    EXPECT_EQ(test_.number("SELECT COUNT(*) FROM streams"), 0);
}

TEST_P(sample_store, open_streams__several_then_again__same_keys_and_what_is_there) {
    test_.add_device("d1");
    test_.add_device("d2", "untrusted");
    const std::vector<StreamName> names{{"d1", "a"}, {"d1", "b"}, {"d2", "a"}};
    const auto first = open_streams(database(), names);
    ASSERT_TRUE(first);
    EXPECT_NE(first->at(0).key, first->at(1).key);
    store(first->at(1).key, 1, 3);
    store(first->at(1).key, 5, 6);
    test_.run("UPDATE streams SET contiguous = 3 WHERE stream_key = " +
              std::to_string(first->at(1).key));
    const auto second = open_streams(database(), names);
    ASSERT_TRUE(second);
    EXPECT_EQ(second->at(1).key, first->at(1).key);
    EXPECT_EQ(second->at(1).contiguous, 3U);
    EXPECT_EQ(second->at(1).above, (std::vector<std::uint64_t>{5, 6}));
}

TEST_P(sample_store, store_batch__again__nothing_twice) {
    test_.add_device("d1");
    const auto key = open("d1", "a");
    store(key, 1, 10);
    store(key, 5, 15);
    EXPECT_EQ(test_.number("SELECT COUNT(*) FROM samples"), 15);
    EXPECT_EQ(test_.number("SELECT contiguous FROM streams"), 15);
}

TEST_P(sample_store, query__values__come_back_as_they_were) {
    test_.add_device("d1");
    store(open("d1", "a"), 1, 1);
    const auto found = query(database(), {});
    ASSERT_TRUE(found);
    ASSERT_EQ(found->size(), 1U);
    EXPECT_EQ(found->at(0).device, "d1");
    EXPECT_EQ(found->at(0).stream, "a");
    EXPECT_EQ(found->at(0).seq, 1U);
    EXPECT_EQ(found->at(0).ts_ms, 1);
    EXPECT_EQ(found->at(0).stored_ms, 1000);
    EXPECT_FALSE(found->at(0).suspect);
    EXPECT_EQ(found->at(0).values_json, R"({"a":"it's \"quoted\" \\ :b"})");
}

TEST_P(sample_store, query__filters__each_holds) {
    test_.add_device("d1");
    test_.add_device("d2");
    store(open("d1", "a"), 1, 5);
    store(open("d1", "b"), 11, 15);
    store(open("d2", "a"), 21, 25);
    using Seqs = std::vector<std::uint64_t>;
    EXPECT_EQ(seqs({}).size(), 15U);
    EXPECT_EQ(seqs({.device = "d2"}), (Seqs{21, 22, 23, 24, 25}));
    EXPECT_EQ(seqs({.device = "d1", .stream = "b"}), (Seqs{11, 12, 13, 14, 15}));
    EXPECT_EQ(seqs({.device = "d1", .stream = "b", .after_seq = 13}), (Seqs{14, 15}));
    EXPECT_EQ(seqs({.from_ms = 4, .to_ms = 12}), (Seqs{4, 5, 11}));
    EXPECT_EQ(seqs({.limit = 6}), (Seqs{1, 2, 3, 4, 5, 11}));
    EXPECT_EQ(seqs({.limit = 2, .last = true}), (Seqs{24, 25}));
    EXPECT_EQ(seqs({.device = "d1", .stream = "a", .limit = 2, .last = true}), (Seqs{4, 5}));
    EXPECT_EQ(seqs({.device = "nobody"}), Seqs{});
    EXPECT_FALSE(query(database(), {.limit = 0}));
    EXPECT_FALSE(query(database(), {.limit = max_page + 1}));
}

TEST_P(sample_store, export__more_than_a_page__every_sample_once) {
    test_.add_device("d1");
    store(open("d1", "a"), 1, 6000);
    store(open("d1", "b"), 1, 6000);
    store(open("d1", "c"), 1, 10);
    Export pages(database(), {});
    std::vector<server::SampleStored> all;
    for (;;) {
        const auto page = pages.next();
        ASSERT_TRUE(page);
        if (page->empty()) break;
        all.insert(all.end(), page->begin(), page->end());
    }
    ASSERT_EQ(all.size(), 12'010U);
    for (std::size_t i = 1; i < all.size(); ++i) {
        EXPECT_LT(std::tie(all[i - 1].stream, all[i - 1].seq), std::tie(all[i].stream, all[i].seq));
    }
}

TEST_P(sample_store, begin_distrust__since_the_last_pass__only_those) {
    test_.add_device("d1", "untrusted", 7000);
    test_.add_device("d2", "trusted", 7000);
    store(open("d1", "a"), 1, 10);
    store(open("d1", "b"), 9, 9);
    store(open("d2", "a"), 1, 10);
    EXPECT_EQ(begin_distrust(database(), "d1", 9500), 4);  // a: 8, 9, 10; b: 9
    EXPECT_EQ(begin_distrust(database(), "d1", 9500), 0);
    EXPECT_EQ(begin_distrust(database(), "nobody", 9500), 0);
    EXPECT_EQ(test_.number("SELECT COUNT(*) FROM samples WHERE suspect = 1"), 4);
    EXPECT_EQ(test_.number("SELECT MIN(seq) FROM samples WHERE suspect = 1"), 8);
    const auto found = query(database(), {.device = "d1", .stream = "b"});
    EXPECT_TRUE(found->at(0).suspect);
}

// The database was away when the verdict came, and back when the device had passed again.
TEST_P(sample_store, begin_distrust__passed_again_meanwhile__since_the_pass_before_the_verdict) {
    test_.add_device("d1", "trusted", 9900);
    test_.run(
        "INSERT INTO verdicts (device_id, at_ms, number, verdict, reason, level) VALUES "
        "('d1', 3000, 1, 'trusted', '', ''), ('d1', 6000, 2, 'untrusted', 'x', ''), "
        "('d1', 9900, 3, 'trusted', '', '')");
    store(open("d1", "a"), 1, 10);
    EXPECT_EQ(begin_distrust(database(), "d1", 6000), 7);  // 4 .. 10
}

}  // namespace
}  // namespace quoin::telemetry
