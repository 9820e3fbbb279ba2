// What a restored disk, a copied one and a TPM that is not the same do: never a value twice, always
// a clear state, and a way out.
#include <set>

#include "host/counters/test_store.hpp"

namespace quoin::counters {
namespace {

namespace fs = std::filesystem;

class restore : public test::StoreTest {
protected:
    // Uses the store as programs do, keeping every file that it writes.
    void live(Store& opened) {
        snapshots.push_back(content());
        for (int i = 0; i < 3; ++i) {
            use(opened);
            snapshots.push_back(content());
        }
    }
    void use(Store& opened) {
        const auto block = opened.reserve("index", 2);
        if (block) {
            EXPECT_TRUE(used.insert(block->first).second) << block->first << " given twice";
            EXPECT_TRUE(used.insert(block->first + 1).second);
        }
        auto numbers = opened.sequence("numbers");
        for (int i = 0; i < 100 && numbers; ++i) {
            const auto number = numbers->next();
            if (!number) break;
            EXPECT_TRUE(numbered.insert(*number).second) << *number << " given twice";
        }
    }
    void begin() {
        create();
        const auto opened = must_open();
        ASSERT_TRUE(opened->add_scarce("index", 1'000'000));
    }

    std::vector<std::string> snapshots;
    std::set<std::uint64_t> used, numbered;
};

TEST_F(restore, open__every_earlier_file__refused_and_the_newest_goes_on) {
    begin();
    for (int opening = 0; opening < 4; ++opening) live(*must_open());
    const std::string newest = content();
    const test::Counters before = counters;
    std::size_t refused = 0;
    for (const std::string& old : snapshots) {
        if (old == newest) continue;
        put_back(old);
        const auto opened = open();
        ASSERT_FALSE(opened);
        EXPECT_EQ(opened.error().code, Code::integrity_mismatch);
        EXPECT_TRUE(opened.error().message.contains("is an old copy")) << opened.error().message;
        EXPECT_TRUE(opened.error().message.contains("quoin counters adopt"));
        EXPECT_FALSE(Store::examine(file, "test", anchor().get()));
        ++refused;
    }
    EXPECT_GE(refused, 12U);
    EXPECT_EQ(counters.generation, before.generation);
    EXPECT_EQ(counters.claims, before.claims) << "a refusal wears nothing out";
    put_back(newest);
    use(*must_open());
}

// The canary: it is the anchor that notices.
TEST_F(restore, canary__no_anchor__an_old_file_gives_values_twice) {
    anchored = false;
    begin();
    const std::string old = content();
    ASSERT_EQ(must_open()->reserve("index", 2)->first, 0U);
    put_back(old);
    EXPECT_EQ(must_open()->reserve("index", 2)->first, 0U);
    EXPECT_EQ(must_open()->status().strength, Strength::none);
    EXPECT_TRUE(strength_text(Strength::none).contains("NOT"));
}

TEST_F(restore, open__file_without_its_anchor__refused) {
    begin();
    use(*must_open());
    test::Counters other;
    test::MemoryAnchor cleared(other);
    const auto examined = Store::examine(file, "test", &cleared);
    EXPECT_TRUE(examined.error().message.contains("has no counters")) << examined.error().message;
    auto opened = Store::open(file, "test", std::make_unique<test::MemoryAnchor>(other));
    EXPECT_EQ(opened.error().code, Code::integrity_mismatch);
    ASSERT_TRUE(cleared.create());  // another TPM that has counted for such a store
    opened = Store::open(file, "test", std::make_unique<test::MemoryAnchor>(other));
    EXPECT_TRUE(opened.error().message.contains("has not reached")) << opened.error().message;
    opened = Store::open(file, "test", nullptr);
    EXPECT_TRUE(opened.error().message.contains("its anchor is memory:"));
    counters.is_gone = true;
    EXPECT_EQ(open().error().code, Code::resource_unavailable);
    counters.is_gone = false;
    use(*must_open());
}

TEST_F(restore, open__anchor_without_its_file__refused_and_not_made_anew) {
    begin();
    use(*must_open());
    fs::remove(file);
    EXPECT_TRUE(open().error().message.contains("is gone")) << open().error().message;
    EXPECT_EQ(Store::create(file, "test", anchor().get()).error().code, Code::integrity_mismatch);
    EXPECT_FALSE(fs::exists(file));
    const auto adopted = Store::adopt(file, "test", anchor().get(), 1'700'000'000'000);
    ASSERT_TRUE(adopted) << adopted.error().message;
    EXPECT_FALSE(adopted->had_file);
    use(*must_open());  // numbers begin far ahead
    EXPECT_GE(*numbered.rbegin(), 1'700'000'000'000U << 16U);
}

TEST_F(restore, next__copied_disk_running_twice__one_refused_nothing_twice) {
    begin();
    auto first = must_open();
    use(*first);
    const fs::path original = file;
    const fs::path copy = folder / "copy";
    fs::create_directory(copy);
    for (const bool copy_goes_first : {true, false}) {
        fs::copy_file(original, copy / "counters", fs::copy_options::overwrite_existing);
        if (!copy_goes_first) use(*first);
        file = copy / "counters";
        const auto second = open();
        EXPECT_EQ(second.has_value(), copy_goes_first);
        if (second) use(**second);
        use(*first);  // checks that nothing comes twice
        if (second) {
            EXPECT_EQ(first->reserve("index", 1).error().code, Code::integrity_mismatch);
            EXPECT_TRUE(first->status().problem.contains("somebody else counts"));
            EXPECT_FALSE(first->sequence("numbers")->next());
            // The first has counted when it found out: neither goes on. A person chooses one.
            EXPECT_FALSE((*second)->reserve("index", 1));
            file = original;
            first.reset();
            EXPECT_FALSE(open());
            ASSERT_TRUE(Store::adopt(file, "test", anchor().get(), 0));
            first = must_open();
        }
    }
}

TEST_F(restore, adopt__an_old_file__sequences_far_ahead_scarce_spent_no_copy_fits) {
    begin();
    auto opened = must_open();
    ASSERT_TRUE(opened->advance("policy", 3));
    const std::string old = content();
    live(*opened);
    opened.reset();
    put_back(old);
    EXPECT_FALSE(open());
    const auto adopted = Store::adopt(file, "test", anchor().get(), 0);
    ASSERT_TRUE(adopted) << adopted.error().message;
    EXPECT_TRUE(adopted->had_file);
    EXPECT_EQ(adopted->spent, std::vector<std::string>{"index"});
    EXPECT_EQ(adopted->behind, std::vector<std::string>{"policy"});
    EXPECT_EQ(*files::read(file.string() + ".before"), old);
    opened = must_open();
    EXPECT_EQ(opened->reserve("index", 1).error().code, Code::resource_full);
    EXPECT_EQ(opened->floor("policy")->value, 3U);
    use(*opened);
    opened.reset();
    for (const std::string& snapshot : snapshots) {
        put_back(snapshot);
        EXPECT_FALSE(open());
    }
}

TEST_F(restore, adopt__damaged_file_or_new_anchor__opens_again) {
    begin();
    use(*must_open());
    put_back("damaged");
    EXPECT_TRUE(open().error().message.contains("is damaged")) << open().error().message;
    ASSERT_TRUE(Store::adopt(file, "test", anchor().get(), 1'700'000'000'000));
    use(*must_open());
    counters = {};  // the TPM was cleared
    EXPECT_FALSE(open());
    ASSERT_TRUE(Store::adopt(file, "test", anchor().get(), 1'700'000'000'000));
    use(*must_open());
    anchored = false;  // to a machine without one
    EXPECT_FALSE(open());
    ASSERT_TRUE(Store::adopt(file, "test", nullptr, 1'700'000'000'000));
    use(*must_open());
    EXPECT_EQ(Store::adopt(file, "other", nullptr, 0).error().code, Code::input_conflict);
}

TEST_F(restore, next__anchor_fails_and_comes_back__durable_values_go_on_and_nothing_twice) {
    begin();
    const auto opened = must_open();
    auto numbers = opened->sequence("numbers");
    ASSERT_TRUE(numbers);
    EXPECT_EQ(numbers->next(), 0U);
    for (const bool loses : {false, true, true}) {
        (loses ? counters.loses_answers : counters.is_gone) = true;
        EXPECT_FALSE(opened->reserve("index", 2));
        EXPECT_FALSE(opened->reserve("index", 2));
        EXPECT_NE(opened->status().problem, "");
        EXPECT_TRUE(numbers->next()) << "a block that is durable still is";
        const std::string pending = content();
        counters.loses_answers = counters.is_gone = false;
        use(*opened);
        EXPECT_EQ(opened->status().problem, "");
        const std::string newest = content();
        EXPECT_NE(pending, newest);
        snapshots.push_back(pending);
    }
    use(*opened);
    EXPECT_TRUE(used.contains(0)) << "what failed was not lost";
    snapshots.pop_back();
    for (const std::string& old : snapshots) {
        put_back(old);
        fs::remove(file.string() + ".lock");
        EXPECT_FALSE(open());
    }
}

TEST_F(restore, reserve__others_count__refused_for_good) {
    begin();
    const auto opened = must_open();
    auto numbers = opened->sequence("numbers");
    ASSERT_TRUE(numbers && numbers->next());
    counters.others_count = 1;
    EXPECT_EQ(opened->reserve("index", 1).error().code, Code::integrity_mismatch);
    EXPECT_EQ(opened->reserve("index", 1).error().code, Code::integrity_mismatch);
    EXPECT_EQ(numbers->next().error().code, Code::integrity_mismatch);
    EXPECT_TRUE(opened->status().problem.contains("a copy of this disk is running"));
}

}  // namespace
}  // namespace quoin::counters
