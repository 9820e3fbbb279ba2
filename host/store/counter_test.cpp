#include "host/store/counter.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <set>
#include <vector>

namespace quoin::store {
namespace {

namespace fs = std::filesystem;
using core::lms::IndexStore;
using core::lms::Reservation;

static_assert(IndexStore<Counter>);

class counter : public testing::Test {
protected:
    counter() {
        std::string name = (fs::temp_directory_path() / "quoin-counter-XXXXXX").string();
        folder = ::mkdtemp(name.data());
        file = folder / "index";
    }
    ~counter() override { fs::remove_all(folder); }

    std::uint64_t take(Reservation& block) { return *block.take()->consume(); }

    fs::path folder, file;
};

TEST_F(counter, reserve__blocks_and_openings__each_index_once) {
    ASSERT_TRUE(Counter::create(file, "key", 10));
    std::vector<std::uint64_t> got;
    for (int opening = 0; opening < 2; ++opening) {
        auto opened = Counter::open(file, "key");
        ASSERT_TRUE(opened) << opened.error().message;
        auto block = opened->reserve(4);
        ASSERT_TRUE(block);
        EXPECT_EQ(block->left(), 4U);
        got.push_back(take(*block));
        got.push_back(take(*block));
    }
    EXPECT_EQ(got, (std::vector<std::uint64_t>{0, 1, 4, 5}));
}

TEST_F(counter, reserve__end_of_the_key__fewer_then_resource_full) {
    ASSERT_TRUE(Counter::create(file, "key", 5));
    auto opened = Counter::open(file, "key");
    ASSERT_TRUE(opened);
    EXPECT_EQ(opened->reserve(3)->left(), 3U);
    EXPECT_EQ(opened->left(), 2U);
    EXPECT_EQ(opened->reserve(3)->left(), 2U);
    EXPECT_EQ(opened->reserve(3).error().code, Code::resource_full);
    EXPECT_EQ(opened->reserve(1).error().code, Code::resource_full);
}

TEST_F(counter, open__while_another_holds_it__resource_unavailable) {
    ASSERT_TRUE(Counter::create(file, "key", 5));
    {
        const auto held = Counter::open(file, "key");
        ASSERT_TRUE(held);
        EXPECT_EQ(Counter::open(file, "key").error().code, Code::resource_unavailable);
    }
    EXPECT_TRUE(Counter::open(file, "key"));
}

TEST_F(counter, open__any_byte_changed__integrity_mismatch) {
    ASSERT_TRUE(Counter::create(file, "key", 12345));
    const std::string good = *files::read(file);
    for (std::size_t i = 0; i < good.size(); ++i) {
        for (const char flip : {'\1', '\2', '\20'}) {
            std::string bad = good;
            bad[i] = static_cast<char>(bad[i] ^ flip);
            ASSERT_TRUE(files::write_atomically(file, bad, 0600));
            ASSERT_EQ(Counter::open(file, "key").error().code, Code::integrity_mismatch) << i;
        }
    }
    for (std::size_t size = 0; size < good.size(); ++size) {
        ASSERT_TRUE(files::write_atomically(file, good.substr(0, size), 0600));
        ASSERT_EQ(Counter::open(file, "key").error().code, Code::integrity_mismatch) << size;
    }
    ASSERT_TRUE(files::write_atomically(file, good + " ", 0600));
    EXPECT_EQ(Counter::open(file, "key").error().code, Code::integrity_mismatch);
    ASSERT_TRUE(files::write_atomically(file, good, 0600));
    EXPECT_TRUE(Counter::open(file, "key"));
}

TEST_F(counter, open__missing_or_of_another_key__refused) {
    EXPECT_EQ(Counter::open(file, "key").error().code, Code::input_not_found);
    EXPECT_FALSE(fs::exists(file.string() + ".lock"));
    ASSERT_TRUE(Counter::create(file, "other", 5));
    EXPECT_EQ(Counter::open(file, "key").error().code, Code::integrity_mismatch);
}

TEST_F(counter, create__a_file_is_there__left_alone) {
    ASSERT_TRUE(Counter::create(file, "key", 5));
    ASSERT_TRUE(Counter::open(file, "key")->reserve(2));
    EXPECT_EQ(Counter::create(file, "key", 5).error().code, Code::input_conflict);
    EXPECT_EQ(Counter::open(file, "key")->next(), 2U);
    EXPECT_EQ(Counter::create(folder / "new", "two words", 5).error().code, Code::input_invalid);
}

TEST_F(counter, reserve__disk_refuses__nothing_given_then_or_later) {
    ASSERT_TRUE(Counter::create(file, "key", 50));
    auto opened = Counter::open(file, "key");
    ASSERT_TRUE(opened);
    fs::rename(folder, folder.string() + ".away");
    EXPECT_FALSE(opened->reserve(2));
    fs::rename(folder.string() + ".away", folder);
    EXPECT_EQ(opened->reserve(2).error().code, Code::state_wrong);
    EXPECT_EQ(opened->next(), 0U);
}

}  // namespace
}  // namespace quoin::store
