#include "host/store/counter.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
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

// Both name the same file for as long as both hold it, wherever the folder goes.
TEST_F(counter, reserve__folder_moved_and_another_in_its_place__each_its_own) {
    const fs::path key = folder / "key";
    const fs::path old = folder / "old";
    fs::create_directory(key);
    ASSERT_TRUE(Counter::create(key / "index", "key", 50));
    auto opened = Counter::open(key / "index", "key");
    ASSERT_TRUE(opened);
    fs::rename(key, old);
    fs::create_directory(key);
    ASSERT_TRUE(Counter::create(key / "index", "new", 50));
    const std::string fresh = *files::read(key / "index");
    auto block = opened->reserve(2);
    ASSERT_TRUE(block) << block.error().message;
    EXPECT_EQ(take(*block), 0U);
    EXPECT_EQ(*files::read(key / "index"), fresh);
    EXPECT_EQ(Counter::look(old / "index", "key")->next, 2U);
    EXPECT_EQ(Counter::open(old / "index", "key").error().code, Code::resource_unavailable);
}

TEST_F(counter, reserve__lock_removed_and_opened_again__only_the_second_gives) {
    ASSERT_TRUE(Counter::create(file, "key", 50));
    auto first = Counter::open(file, "key");
    ASSERT_TRUE(first);
    fs::remove(file.string() + ".lock");
    auto second = Counter::open(file, "key");
    ASSERT_TRUE(second);
    EXPECT_TRUE(second->reserve(1));
    EXPECT_EQ(first->reserve(1).error().code, Code::integrity_mismatch);
    EXPECT_EQ(first->reserve(1).error().code, Code::state_wrong);
    EXPECT_EQ(second->reserve(1)->take()->consume(), 1U);
}

TEST_F(counter, reserve__file_changed_while_held__integrity_mismatch_then_state_wrong) {
    ASSERT_TRUE(Counter::create(file, "key", 50));
    const std::string before = *files::read(file);
    for (const auto& change : std::vector<std::function<void()>>{
             [&] { ASSERT_TRUE(files::write_atomically(file, before, 0600)); },
             [&] { ASSERT_TRUE(files::write_atomically(file, "damaged", 0600)); },
             [&] { fs::remove(file); }}) {
        fs::remove(file);
        ASSERT_TRUE(files::create(file, before, 0600));
        auto opened = Counter::open(file, "key");
        ASSERT_TRUE(opened);
        ASSERT_TRUE(opened->reserve(2));
        change();
        EXPECT_FALSE(opened->reserve(2));
        ASSERT_TRUE(files::write_atomically(file, before, 0600));
        EXPECT_EQ(opened->reserve(2).error().code, Code::state_wrong);
        EXPECT_EQ(opened->next(), 2U);
    }
}

TEST_F(counter, open__link_of_either_kind__integrity_mismatch) {
    ASSERT_TRUE(Counter::create(folder / "true", "key", 50));
    fs::create_symlink(folder / "true", file);
    EXPECT_EQ(Counter::open(file, "key").error().code, Code::integrity_mismatch);
    EXPECT_EQ(Counter::look(file, "key").error().code, Code::integrity_mismatch);
    fs::remove(file);
    fs::create_hard_link(folder / "true", file);
    EXPECT_EQ(Counter::open(file, "key").error().code, Code::integrity_mismatch);
    fs::remove(file);
    EXPECT_TRUE(Counter::open(folder / "true", "key"));
}

TEST_F(counter, reserve__relative_path_and_another_directory__same_file) {
    const fs::path before = fs::current_path();
    fs::create_directory(folder / "other");
    fs::current_path(folder);
    ASSERT_TRUE(Counter::create("index", "key", 50));
    auto opened = Counter::open("index", "key");
    fs::current_path(folder / "other");
    const bool created = Counter::create("index", "key", 50).has_value();
    const bool reserved = opened && opened->reserve(3);
    fs::current_path(before);
    ASSERT_TRUE(created && reserved);
    EXPECT_EQ(Counter::look(file, "key")->next, 3U);
    EXPECT_EQ(Counter::look(folder / "other/index", "key")->next, 0U);
}

TEST_F(counter, reserve__in_a_forked_child__state_wrong) {
    ASSERT_TRUE(Counter::create(file, "key", 50));
    auto opened = Counter::open(file, "key");
    ASSERT_TRUE(opened);
    const pid_t child = ::fork();
    if (child == 0) {
        const auto block = opened->reserve(1);
        ::_exit(!block && block.error().code == Code::state_wrong ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(opened->reserve(1)->take()->consume(), 0U);
}

}  // namespace
}  // namespace quoin::store
