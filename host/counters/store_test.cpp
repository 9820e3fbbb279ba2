#include <poll.h>
#include <sys/wait.h>

#include <set>

#include "host/counters/test_store.hpp"

namespace quoin::counters {
namespace {

namespace fs = std::filesystem;

class store : public test::StoreTest {};

TEST_F(store, next__many_and_openings__each_value_once_and_few_writes) {
    create();
    std::uint64_t last = 0;
    bool is_first = true;
    for (int opening = 0; opening < 3; ++opening) {
        const auto opened = must_open();
        auto numbers = opened->sequence("numbers");
        ASSERT_TRUE(numbers) << numbers.error().message;
        for (int i = 0; i < 100'000; ++i) {
            const auto value = numbers->next();
            ASSERT_TRUE(value) << value.error().message;
            ASSERT_TRUE(is_first || *value > last);
            is_first = false;
            last = *value;
        }
        EXPECT_LE(opened->status().writes, 16U) << "log2(100,000 / 64), and the opening";
        EXPECT_EQ(opened->status().problem, "");
    }
    EXPECT_LT(last, 3U * 2U * 200'000U) << "no more is lost than is used";
}

TEST_F(store, next__many_threads__each_value_once) {
    create();
    const auto opened = must_open();
    auto numbers = opened->sequence("numbers");
    ASSERT_TRUE(numbers);
    std::vector<std::vector<std::uint64_t>> got(4);
    {
        std::vector<std::jthread> threads;
        for (auto& mine : got) {
            threads.emplace_back([&numbers, &mine] {
                for (int i = 0; i < 5000; ++i) mine.push_back(*numbers->next());
            });
        }
    }
    std::set<std::uint64_t> all;
    for (const auto& mine : got) all.insert(mine.begin(), mine.end());
    EXPECT_EQ(all.size(), 20'000U);
}

TEST_F(store, sequences__a_thousand_at_once__one_write) {
    create();
    const auto opened = must_open();
    std::vector<std::string> names;
    for (int i = 0; i < 1000; ++i) names.push_back(fmt::format("device-{}", i));
    const std::uint64_t before = counters.generation;
    auto all = opened->sequences(names);
    ASSERT_TRUE(all);
    EXPECT_EQ(counters.generation, before + 1);
    for (Sequence& one : *all) EXPECT_EQ(one.next(), 0U);
    EXPECT_EQ(opened->status().counters, 1000U);
}

TEST_F(store, reserve__blocks_and_end__exact_then_fewer_then_resource_full) {
    create();
    {
        const auto opened = must_open();
        ASSERT_TRUE(opened->add_scarce("index", 10));
        EXPECT_EQ(opened->add_scarce("index", 10).error().code, Code::input_conflict);
        EXPECT_EQ(opened->reserve("index", 4)->first, 0U);
    }
    const auto opened = must_open();
    EXPECT_EQ(opened->reserve("index", 4)->first, 4U);
    EXPECT_EQ(opened->left("index"), 2U);
    const auto last = opened->reserve("index", 4);
    ASSERT_TRUE(last);
    EXPECT_EQ(last->first, 8U);
    EXPECT_EQ(last->count, 2U);
    EXPECT_EQ(opened->reserve("index", 1).error().code, Code::resource_full);
    EXPECT_EQ(opened->reserve("other", 1).error().code, Code::input_not_found);
    EXPECT_EQ(opened->advance("index", 1).error().code, Code::input_conflict);
}

TEST_F(store, advance__lower_or_another_digest__input_conflict_also_after_opening) {
    create();
    const std::vector<std::uint8_t> digest{1, 2, 3};
    {
        const auto opened = must_open();
        ASSERT_TRUE(opened->advance("policy", 0));
        ASSERT_TRUE(opened->advance("policy", 5));
        ASSERT_TRUE(opened->advance("head", 5, digest));
        EXPECT_EQ(opened->advance("policy", 4).error().code, Code::input_conflict);
        EXPECT_EQ(opened->advance("head", 5).error().code, Code::input_conflict);
        const std::uint64_t before = counters.generation;
        EXPECT_TRUE(opened->advance("head", 5, digest)) << "the same again";
        EXPECT_EQ(counters.generation, before);
    }
    const auto opened = must_open();
    EXPECT_EQ(opened->floor("policy")->value, 5U);
    EXPECT_EQ(opened->floor("head")->digest, digest);
    EXPECT_EQ(opened->floor("other"), std::nullopt);
    EXPECT_EQ(opened->advance("policy", 4).error().code, Code::input_conflict);
    EXPECT_EQ(opened->advance("two words", 4).error().code, Code::input_invalid);
}

TEST_F(store, note__until_the_end_or_late__written_with_one_count) {
    create();
    {
        const auto opened = must_open();
        const std::uint64_t before = counters.generation;
        for (std::uint64_t i = 1; i <= 1000; ++i) ASSERT_TRUE(opened->note("head", i));
        EXPECT_EQ(opened->note("head", 999).error().code, Code::input_conflict);
        EXPECT_EQ(counters.generation, before);
    }
    EXPECT_EQ(Store::look(file)->entries.at("head").value, 1000U);
    const auto opened = must_open({.note_after = std::chrono::milliseconds(1)});
    ASSERT_TRUE(opened->note("head", 1001));
    for (int i = 0; i < 10'000 && Store::look(file)->entries.at("head").value != 1001; ++i) {
        ::poll(nullptr, 0, 1);
    }
    EXPECT_EQ(Store::look(file)->entries.at("head").value, 1001U);
}

struct FakeTime {
    std::uint64_t wall_ms = 1'000'000;
    std::uint64_t boottime_ms = 500;
    Options options(std::string boot) {
        return {.clock = Clock{[this] { return wall_ms; }, [this] { return boottime_ms; },
                               std::move(boot)}};
    }
};

TEST_F(store, now__wall_clock_jumps__only_evidence_and_elapsed_time_raise_the_floor) {
    create();
    FakeTime time;
    {
        const auto opened = must_open(time.options("first"));
        ASSERT_TRUE(opened->raise_time(2'000'000));
        EXPECT_EQ(opened->now().ms, 2'000'000U);
        EXPECT_TRUE(opened->now().is_behind);
        time.wall_ms = 9'000'000;  // jumps ahead: believed while it lasts
        EXPECT_EQ(opened->now().ms, 9'000'000U);
        EXPECT_FALSE(opened->now().is_behind);
        time.wall_ms = 1'000'000;  // and back: nothing is left of it
        time.boottime_ms += 300;
        EXPECT_EQ(opened->now().ms, 2'000'300U);
        ASSERT_TRUE(opened->raise_time(1'999'999)) << "older evidence changes nothing";
        EXPECT_EQ(opened->now().ms, 2'000'300U);
    }
    {
        time.boottime_ms += 1000;  // between two programs of one boot
        const auto opened = must_open(time.options("first"));
        EXPECT_EQ(opened->now().ms, 2'001'300U);
    }
    time.boottime_ms = 10;  // another boot: how long it was off, nobody knows
    const auto opened = must_open(time.options("second"));
    EXPECT_EQ(opened->now().ms, 2'001'300U);
    time.boottime_ms = 30;
    EXPECT_EQ(opened->now().ms, 2'001'320U);
}

TEST_F(store, open__while_another_holds_it__resource_unavailable_and_nothing_counted) {
    create();
    const auto held = must_open();
    const std::uint64_t claims = counters.claims;
    EXPECT_EQ(open().error().code, Code::resource_unavailable);
    EXPECT_EQ(counters.claims, claims);
    EXPECT_EQ(Store::look(file)->name, "test");
    EXPECT_TRUE(Store::examine(file, "test", anchor().get()));
}

TEST_F(store, next__in_a_forked_child__state_wrong) {
    create();
    auto opened = must_open();
    ASSERT_TRUE(opened->add_scarce("index", 9));
    auto numbers = opened->sequence("numbers");
    ASSERT_TRUE(numbers);
    ::poll(nullptr, 0, 20);  // the thread that refills waits by now: the child has not got it
    const pid_t child = ::fork();
    if (child == 0) {
        const bool good = numbers->next().error().code == Code::state_wrong &&
                          opened->reserve("index", 1).error().code == Code::state_wrong &&
                          opened->advance("a", 1).error().code == Code::state_wrong;
        opened.reset();
        ::_exit(good ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(numbers->next(), 0U);
    EXPECT_EQ(open().error().code, Code::resource_unavailable) << "the parent holds it still";
}

TEST_F(store, reserve__lock_removed_and_opened_again__only_the_second_gives) {
    for (const bool with_anchor : {false, true}) {
        anchored = with_anchor;
        fs::remove(file);
        create();
        const auto first = must_open();
        ASSERT_TRUE(first->add_scarce("index", 50));
        fs::remove(file.string() + ".lock");
        const auto second = must_open();
        EXPECT_EQ(second->reserve("index", 1)->first, 0U);
        EXPECT_EQ(first->reserve("index", 1).error().code, Code::integrity_mismatch);
        EXPECT_EQ(first->reserve("index", 1).error().code, Code::integrity_mismatch);
        EXPECT_EQ(second->reserve("index", 1)->first, 1U);
    }
}

TEST_F(store, reserve__folder_moved_and_another_in_its_place__each_its_own) {
    anchored = false;
    const fs::path key = folder / "key";
    fs::create_directory(key);
    file = key / "counters";
    create();
    const auto opened = must_open();
    ASSERT_TRUE(opened->add_scarce("index", 50));
    fs::rename(key, folder / "old");
    fs::create_directory(key);
    create();
    const std::string fresh = content();
    EXPECT_EQ(opened->reserve("index", 2)->first, 0U);
    EXPECT_EQ(content(), fresh);
    EXPECT_EQ(Store::look(folder / "old/counters")->entries.at("index").value, 2U);
}

TEST_F(store, open__link_of_either_kind_or_another_name__integrity_mismatch) {
    anchored = false;
    create();
    EXPECT_EQ(Store::open(file, "other", nullptr).error().code, Code::integrity_mismatch);
    fs::rename(file, folder / "true");
    fs::create_symlink(folder / "true", file);
    EXPECT_EQ(open().error().code, Code::integrity_mismatch);
    fs::remove(file);
    fs::create_hard_link(folder / "true", file);
    EXPECT_EQ(open().error().code, Code::integrity_mismatch);
}

TEST_F(store, create__a_file_is_there__left_alone) {
    create();
    const std::string before = content();
    EXPECT_EQ(Store::create(file, "test", anchor().get()).error().code, Code::input_conflict);
    EXPECT_EQ(content(), before);
    EXPECT_EQ(Store::create(folder / "b", "two words", nullptr).error().code, Code::input_invalid);
    EXPECT_EQ(Store::open(folder / "b", "b", nullptr).error().code, Code::input_not_found);
    EXPECT_FALSE(fs::exists(folder / "b.lock"));
}

}  // namespace
}  // namespace quoin::counters
