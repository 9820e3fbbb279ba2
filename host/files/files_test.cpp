#include "host/files/files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>

namespace quoin::files {
namespace {

namespace fs = std::filesystem;

class Folder : public testing::Test {
protected:
    Folder() {
        std::string name = testing::TempDir() + "quoin-files-XXXXXX";
        if (::mkdtemp(name.data()) == nullptr) ADD_FAILURE() << "no temporary folder";
        folder_ = name;
        file_ = folder_ / "f";
    }
    ~Folder() override { fs::remove_all(folder_); }
    std::size_t count() const {
        return static_cast<std::size_t>(
            std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
    }
    fs::path folder_, file_;
};

mode_t mode_of(const fs::path& path) {
    struct stat status{};
    EXPECT_EQ(::stat(path.c_str(), &status), 0);
    return status.st_mode & 07777U;
}

TEST_F(Folder, write_atomically__new_and_again__content_and_mode) {
    ASSERT_TRUE(write_atomically(file_, "one", 0600));
    ASSERT_TRUE(write_atomically(file_, "two", 0640));
    EXPECT_EQ(*read(file_), "two");
    EXPECT_EQ(mode_of(file_), 0640U);
    EXPECT_EQ(count(), 1U);
}

TEST_F(Folder, write_atomically__target_is_a_folder__refused_and_nothing_left) {
    fs::create_directory(file_);
    EXPECT_FALSE(write_atomically(file_, "x", 0600));
    EXPECT_EQ(count(), 1U);
}

TEST_F(Folder, write_atomically__no_such_folder__input_not_found) {
    EXPECT_EQ(write_atomically(folder_ / "none" / "f", "x", 0600).error().code,
              Code::input_not_found);
}

TEST_F(Folder, create__is_there__input_conflict_and_kept) {
    ASSERT_TRUE(create(file_, "one", 0600));
    EXPECT_EQ(create(file_, "two", 0600).error().code, Code::input_conflict);
    EXPECT_EQ(*read(file_), "one");
    EXPECT_EQ(count(), 1U);
}

TEST_F(Folder, check_create__any_answer__same_as_create_and_nothing_left) {
    EXPECT_TRUE(check_create(file_));
    EXPECT_EQ(count(), 0U);
    fs::create_symlink("nowhere", file_);
    EXPECT_EQ(check_create(file_).error().code, Code::input_conflict);
    EXPECT_EQ(create(file_, "", 0600).error().code, Code::input_conflict);
    EXPECT_EQ(count(), 1U);
    for (const fs::path& nowhere : {folder_ / "none" / "f", folder_ / std::string(255, 'n')}) {
        const auto answer = check_create(nowhere);
        ASSERT_FALSE(answer);
        EXPECT_EQ(answer.error().message, create(nowhere, "", 0600).error().message);
    }
}

TEST_F(Folder, read__limit__exact_size_passes_one_more_does_not) {
    ASSERT_TRUE(create(file_, "12345", 0600));
    EXPECT_TRUE(read(file_, 5));
    EXPECT_EQ(read(file_, 4).error().code, Code::input_invalid);
    EXPECT_EQ(read(folder_ / "none").error().code, Code::input_not_found);
    EXPECT_FALSE(read(folder_));
}

TEST_F(Folder, append_lines__last_line_cut_short__removed_first) {
    ASSERT_TRUE(append_lines(file_, "a\n", 0600));
    ASSERT_TRUE(append_lines(file_, "b\n", 0600));
    EXPECT_EQ(*read(file_), "a\nb\n");
    ASSERT_TRUE(write_atomically(file_, "a\nhalf", 0600));
    ASSERT_TRUE(append_lines(file_, "c\n", 0600));
    EXPECT_EQ(*read(file_), "a\nc\n");
    ASSERT_TRUE(write_atomically(file_, "half", 0600));
    ASSERT_TRUE(append_lines(file_, "d\n", 0600));
    EXPECT_EQ(*read(file_), "d\n");
}

TEST_F(Folder, make_private_folder__new__0700_with_parents) {
    ASSERT_TRUE(make_private_folder(folder_ / "a" / "b"));
    EXPECT_EQ(mode_of(folder_ / "a" / "b"), 0700U);
    EXPECT_TRUE(make_private_folder(folder_ / "a" / "b"));
    ASSERT_TRUE(make_private_folder(folder_ / "a" / "c" / ""));
    EXPECT_EQ(mode_of(folder_ / "a" / "c"), 0700U) << "also with a slash at the end";
}

TEST_F(Folder, make_private_folder__file_or_open_to_others__refused) {
    ASSERT_TRUE(create(file_, "", 0600));
    EXPECT_EQ(make_private_folder(file_).error().code, Code::input_conflict);
    fs::create_directory(folder_ / "open");
    ASSERT_EQ(::chmod((folder_ / "open").c_str(), 0770), 0);
    EXPECT_EQ(make_private_folder(folder_ / "open").error().code, Code::config_invalid);
}

TEST_F(Folder, lock_folder__held__refused_until_given_back) {
    {
        const auto lock = lock_folder(folder_);
        ASSERT_TRUE(lock);
        EXPECT_EQ(lock_folder(folder_).error().code, Code::resource_unavailable);
    }
    EXPECT_TRUE(lock_folder(folder_));
    EXPECT_EQ(lock_folder(folder_ / "none").error().code, Code::input_not_found);
}

}  // namespace
}  // namespace quoin::files
