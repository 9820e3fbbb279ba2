#include "cli/supervise/account.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/supervise/scratch.hpp"

namespace quoin::cli {
namespace {

Account self() { return {.uid = geteuid(), .gid = getegid(), .name = "me", .change = false}; }

TEST(account, element_account__plant_of_an_ordinary_user__the_same) {
    const auto account = element_account(self());
    ASSERT_TRUE(account) << account.error().message;
    EXPECT_EQ(account->uid, geteuid());
    EXPECT_FALSE(account->change);
}

TEST(account, prepare_home__new_folder__is_private) {
    const Scratch scratch;
    ASSERT_TRUE(prepare_home(self(), scratch.path() / "a/plant").has_value());
    struct stat status{};
    ASSERT_EQ(stat((scratch.path() / "a/plant").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0700U);
}

TEST(account, prepare_home__file__refused) {
    EXPECT_FALSE(prepare_home(self(), "/etc/passwd").has_value());
}

TEST(account, prepare_home__folder_of_another_user__refused_and_unchanged) {
    Account other = self();
    other.uid += 1;
    const Scratch scratch;
    const auto prepared = prepare_home(other, scratch.path());
    ASSERT_FALSE(prepared.has_value());
    EXPECT_EQ(prepared.error().code, Code::input_invalid);
    struct stat status{};
    ASSERT_EQ(stat(scratch.path().c_str(), &status), 0);
    EXPECT_EQ(status.st_uid, geteuid());
}

}  // namespace
}  // namespace quoin::cli
