#include "cli/supervise/keeper.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>

#include "cli/supervise/scratch.hpp"
#include "host/files/files.hpp"

namespace quoin::cli {
namespace {

bool is_there(const std::filesystem::path& file) { return std::filesystem::exists(file); }

pid_t pid_in(const std::filesystem::path& file) {
    return static_cast<pid_t>(std::strtol(files::read(file).value_or("-1").c_str(), nullptr, 10));
}

// Runs one program that writes its pid, and leaves a mark when all has ended.
Keeper::Task task(const Descriptor& program, const Scratch& scratch, const std::string& text) {
    return {.work = [&program, &scratch, text](Supervisor& supervisor,
                                               const Keeper::Say& say) -> Result<void> {
                say("works");
                return supervisor.add(
                    script(program, scratch, "echo $$ > pid.new; mv pid.new pid; " + text));
            },
            .finish =
                [&scratch] {
                    const auto mark = files::create(scratch.path() / "finished", "", 0600);
                    if (!mark) _exit(1);
                }};
}

TEST(keeper, destroyed__all_ended_and_finished) {
    const Scratch scratch;
    const Descriptor program = shell();
    std::mutex mutex;
    std::vector<std::string> lines;
    pid_t pid = -1;
    {
        auto keeper = Keeper::start(task(program, scratch, "exec sleep 60"));
        ASSERT_TRUE(keeper) << keeper.error().message;
        (*keeper)->listen([&](const std::string& line) {
            const std::scoped_lock lock(mutex);
            lines.push_back(line);
        });
        ASSERT_TRUE(eventually([&] { return (*keeper)->is_ready().value_or(false); }));
        ASSERT_TRUE(eventually([&] { return is_there(scratch.path() / "pid"); }));
        pid = pid_in(scratch.path() / "pid");
        ASSERT_EQ(kill(pid, 0), 0);
    }
    EXPECT_EQ(kill(pid, 0), -1);
    EXPECT_TRUE(is_there(scratch.path() / "finished"));
    EXPECT_THAT(lines, testing::ElementsAre("works"));
}

TEST(keeper, child__gets_no_more_privileges) {
    const Scratch scratch;
    const Descriptor program = shell();
    const auto keeper = Keeper::start(
        task(program, scratch, "cp /proc/self/status new; mv new status; exec sleep 60"));
    ASSERT_TRUE(keeper) << keeper.error().message;
    ASSERT_TRUE(eventually([&] { return is_there(scratch.path() / "status"); }));
    EXPECT_THAT(files::read(scratch.path() / "status").value_or(""),
                testing::HasSubstr("NoNewPrivs:\t1\n"));
}

TEST(keeper, work_fails__its_error_with_its_code) {
    auto keeper = Keeper::start({.work = [](Supervisor&, const Keeper::Say&) -> Result<void> {
                                     return fail(Code::integrity_mismatch, "the PCRs differ");
                                 },
                                 .finish = [] {}});
    ASSERT_TRUE(keeper);
    (*keeper)->listen([](const std::string&) {});
    ASSERT_TRUE(eventually([&] { return !(*keeper)->is_ready(); }));
    EXPECT_EQ((*keeper)->is_ready().error().code, Code::integrity_mismatch);
    EXPECT_EQ((*keeper)->is_ready().error().message, "the PCRs differ");
}

// What SIGKILL of the parent does: nobody ran a destructor.
TEST(keeper, parent_is_killed__all_ended_and_finished) {
    const Scratch scratch;
    const Descriptor program = shell();
    const pid_t parent = fork();
    ASSERT_GE(parent, 0);
    if (parent == 0) {
        const auto keeper = Keeper::start(task(program, scratch, "exec sleep 60"));
        pause();
        _exit(0);
    }
    ASSERT_TRUE(eventually([&] { return is_there(scratch.path() / "pid"); }));
    const pid_t pid = pid_in(scratch.path() / "pid");
    kill(parent, SIGKILL);
    EXPECT_EQ(waitpid(parent, nullptr, 0), parent);
    EXPECT_TRUE(eventually([&] { return is_there(scratch.path() / "finished"); }));
    EXPECT_EQ(kill(pid, 0), -1);
}

TEST(keeper, keeper_is_killed__kernel_ends_what_it_ran_and_it_is_said) {
    const Scratch scratch;
    const Descriptor program = shell();
    auto keeper =
        Keeper::start({.work = [&](Supervisor& supervisor, const Keeper::Say& say) -> Result<void> {
                           say(std::to_string(getpid()));
                           return supervisor.add(script(program, scratch,
                                                        "echo $$ > pid.new; mv pid.new pid; "
                                                        "exec sleep 60"));
                       },
                       .finish = [] {}});
    ASSERT_TRUE(keeper);
    std::atomic<int> lines = 0;
    std::atomic<pid_t> child = -1;
    (*keeper)->listen([&](const std::string& line) {
        if (lines++ == 0) child = static_cast<pid_t>(std::strtol(line.c_str(), nullptr, 10));
    });
    ASSERT_TRUE(eventually([&] { return is_there(scratch.path() / "pid"); }));
    const pid_t pid = pid_in(scratch.path() / "pid");
    // Not ours to reap: that may take whoever does it a while.
    const Process process{.pid = pid,
                          .handle = Descriptor(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)))};
    ASSERT_TRUE(process.handle);
    kill(child, SIGKILL);
    EXPECT_TRUE(wait_for_end(process, 5000));
    EXPECT_TRUE(eventually([&] { return lines == 2 && !(*keeper)->is_ready(); }));
}

}  // namespace
}  // namespace quoin::cli
