#include "cli/supervise/process.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/supervise/scratch.hpp"
#include "host/files/files.hpp"

namespace quoin::cli {
namespace {

TEST(process, launch__script__runs_in_its_folder_and_logs) {
    const Scratch scratch;
    const Descriptor program = shell();
    auto process = launch(script(program, scratch, "pwd; echo wrong >&2; exit 7"));
    ASSERT_TRUE(process.has_value());
    EXPECT_TRUE(wait_for_end(*process, 5000));
    EXPECT_EQ(reap(*process), "exit status 7");
    EXPECT_EQ(*files::read(scratch.path() / "sh.log"), scratch.path().string() + "\nwrong\n");
}

TEST(process, launch__inherited_descriptor__is_readable_under_its_number) {
    const Scratch scratch;
    ASSERT_TRUE(files::create(scratch.path() / "file", "content", 0600).has_value());
    const Descriptor file(open((scratch.path() / "file").c_str(), O_RDONLY | O_CLOEXEC));
    const Descriptor program = shell();
    ProcessSpec spec = script(program, scratch, fmt::format("cat /proc/self/fd/{}", file.number()));
    spec.inherited = {file.number()};
    auto process = launch(spec);
    ASSERT_TRUE(process.has_value());
    reap(*process);
    EXPECT_EQ(*files::read(spec.log), "content");
}

TEST(process, launch__not_inherited_descriptor__is_closed) {
    const Scratch scratch;
    ASSERT_TRUE(files::create(scratch.path() / "file", "content", 0600).has_value());
    const Descriptor file(open((scratch.path() / "file").c_str(), O_RDONLY | O_CLOEXEC));
    const Descriptor program = shell();
    auto process =
        launch(script(program, scratch, fmt::format("test -e /proc/self/fd/{}", file.number())));
    ASSERT_TRUE(process.has_value());
    EXPECT_EQ(reap(*process), "exit status 1");
}

TEST(process, launch__not_a_program__is_an_error_that_names_it) {
    const Scratch scratch;
    ASSERT_TRUE(files::create(scratch.path() / "file", "content", 0600).has_value());
    const Descriptor file(open((scratch.path() / "file").c_str(), O_RDONLY | O_CLOEXEC));
    ProcessSpec spec = script(file, scratch, "");
    spec.name = "quoin-nothing";
    const auto process = launch(spec);
    ASSERT_FALSE(process.has_value());
    EXPECT_THAT(process.error().message, testing::HasSubstr("quoin-nothing"));
}

TEST(process, launch__starting_thread_ends__child_is_killed) {
    const Scratch scratch;
    const Descriptor program = shell();
    Result<Process> process = fail(Code::internal, "not started");
    std::thread([&] { process = launch(script(program, scratch, "exec sleep 60")); }).join();
    ASSERT_TRUE(process.has_value());
    EXPECT_TRUE(wait_for_end(*process, 5000));
    EXPECT_EQ(reap(*process), "signal 9 (Killed)");
}

// A change of uid makes the kernel forget that a child ends with its parent.
TEST(process, launch__another_user__without_roots_rights_and_killed_with_its_starter) {
    const auto account = plant_account();
    if (!account || !account->change) GTEST_SKIP() << "only root can become somebody else";
    const Scratch scratch;
    std::filesystem::permissions(scratch.path(), std::filesystem::perms(0755));
    const Descriptor program = shell();
    ProcessSpec spec =
        script(program, scratch, "id -u; id -G; grep CapPrm /proc/self/status; exec sleep 60");
    spec.account = *account;
    Result<Process> process = fail(Code::internal, "not started");
    std::string said;
    std::thread([&] {
        process = launch(spec);
        eventually([&] {
            said = files::read(spec.log).value_or("");
            return said.contains("CapPrm");
        });
    }).join();
    ASSERT_TRUE(process) << process.error().message;
    EXPECT_EQ(said, fmt::format("{}\n{}\nCapPrm:\t0000000000000000\n", account->uid, account->gid));
    EXPECT_TRUE(wait_for_end(*process, 5000));
    EXPECT_EQ(reap(*process), "signal 9 (Killed)");
}

}  // namespace
}  // namespace quoin::cli
