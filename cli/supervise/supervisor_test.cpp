#include "cli/supervise/supervisor.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <mutex>
#include <vector>

#include "cli/supervise/scratch.hpp"
#include "host/files/files.hpp"

namespace quoin::cli {
namespace {

class Said {
public:
    void operator()(const std::string& line) {
        const std::scoped_lock lock(mutex_);
        lines_.push_back(line);
    }
    std::vector<std::string> lines() const {
        const std::scoped_lock lock(mutex_);
        return lines_;
    }

private:
    mutable std::mutex mutex_;
    std::vector<std::string> lines_;
};

TEST(supervisor, kill_child__restarted_with_another_pid_and_said) {
    const Scratch scratch;
    const Descriptor program = shell();
    Said said;
    Supervisor supervisor([&](const std::string& line) { said(line); });
    ASSERT_TRUE(supervisor.add(script(program, scratch, "exec sleep 60")).has_value());
    const pid_t first = supervisor.pid("sh");
    ASSERT_GT(first, 0);
    kill(first, SIGKILL);
    ASSERT_TRUE(eventually([&] {
        const pid_t now = supervisor.pid("sh");
        return now > 0 && now != first;
    }));
    ASSERT_EQ(said.lines().size(), 1U);
    EXPECT_EQ(supervisor.deaths("sh"), 1U);
    EXPECT_THAT(said.lines().front(), testing::HasSubstr("signal 9"));
}

TEST(supervisor, dies_again_and_again__starts_come_slower) {
    const Scratch scratch;
    const Descriptor program = shell();
    Said said;
    Supervisor supervisor([&](const std::string& line) { said(line); });
    ASSERT_TRUE(supervisor.add(script(program, scratch, "exit 3")).has_value());
    ASSERT_TRUE(eventually([&] { return said.lines().size() >= 3; }));
    EXPECT_THAT(said.lines()[0], testing::HasSubstr("in 100 ms"));
    EXPECT_THAT(said.lines()[1], testing::HasSubstr("in 200 ms"));
    EXPECT_THAT(said.lines()[2], testing::HasSubstr("in 400 ms"));
}

TEST(supervisor, stop__ends_it_and_does_not_restart) {
    const Scratch scratch;
    const Descriptor program = shell();
    Supervisor supervisor([](const std::string&) {});
    ASSERT_TRUE(supervisor.add(script(program, scratch, "exec sleep 60")).has_value());
    const pid_t pid = supervisor.pid("sh");
    ASSERT_TRUE(supervisor.stop("sh").has_value());
    EXPECT_EQ(supervisor.pid("sh"), -1);
    EXPECT_EQ(kill(pid, 0), -1);
    EXPECT_FALSE(supervisor.stop("sh").has_value());
}

TEST(supervisor, signal__reaches_the_child) {
    const Scratch scratch;
    const Descriptor program = shell();
    Supervisor supervisor([](const std::string&) {});
    ASSERT_TRUE(supervisor
                    .add(script(program, scratch,
                                "trap 'echo again' HUP; echo up; while :; do sleep 0.01; done"))
                    .has_value());
    const auto said = [&] { return files::read(scratch.path() / "sh.log").value_or(""); };
    ASSERT_TRUE(eventually([&] { return said() == "up\n"; }));
    ASSERT_TRUE(supervisor.signal("sh", SIGHUP).has_value());
    EXPECT_TRUE(eventually([&] { return said() == "up\nagain\n"; }));
    EXPECT_EQ(supervisor.signal("none", SIGHUP).error().code, Code::state_wrong);
}

TEST(supervisor, destroyed__deaf_child_is_killed) {
    const Scratch scratch;
    const Descriptor program = shell();
    pid_t pid = -1;
    {
        Supervisor supervisor([](const std::string&) {});
        ASSERT_TRUE(
            supervisor
                .add(script(program, scratch, "trap '' TERM; echo deaf; while :; do sleep 1; done"))
                .has_value());
        pid = supervisor.pid("sh");
        ASSERT_TRUE(eventually(
            [&] { return files::read(scratch.path() / "sh.log").value_or("") == "deaf\n"; }));
    }
    EXPECT_EQ(kill(pid, 0), -1);
}

keys::SecretBytes key_of(std::uint8_t filling) {
    keys::SecretBytes key(32);
    std::ranges::fill(key.expose_to_fill(), filling);
    return key;
}

TEST(supervisor, key__each_start__asked_again_and_read_whole) {
    const Scratch scratch;
    const Descriptor program = shell();
    Supervisor supervisor([](const std::string&) {});
    ProcessSpec spec = script(program, scratch, "cat; echo; exec sleep 60");
    std::atomic<std::uint8_t> asked = 0;
    spec.key = [&]() -> Result<keys::SecretBytes> {
        return key_of(static_cast<std::uint8_t>('a' + asked++));
    };
    const auto read = [&] { return files::read(spec.log).value_or(""); };
    ASSERT_TRUE(supervisor.add(spec));
    ASSERT_TRUE(eventually([&] { return read() == std::string(32, 'a') + "\n"; }));
    kill(supervisor.pid("sh"), SIGKILL);
    EXPECT_TRUE(eventually(
        [&] { return read() == std::string(32, 'a') + "\n" + std::string(32, 'b') + "\n"; }));
}

TEST(supervisor, key__not_given_at_the_first_start__not_added) {
    const Scratch scratch;
    const Descriptor program = shell();
    Supervisor supervisor([](const std::string&) {});
    ProcessSpec spec = script(program, scratch, "echo started");
    spec.key = []() -> Result<keys::SecretBytes> {
        return fail(Code::integrity_mismatch, "the PCRs differ");
    };
    const auto added = supervisor.add(spec);
    ASSERT_FALSE(added);
    EXPECT_EQ(added.error().code, Code::integrity_mismatch);
    EXPECT_THAT(added.error().message, testing::HasSubstr("sh: the PCRs differ"));
    EXPECT_FALSE(std::filesystem::exists(spec.log));
}

TEST(supervisor, key__not_given_at_a_restart__tried_again_slower_and_said) {
    const Scratch scratch;
    const Descriptor program = shell();
    Said said;
    Supervisor supervisor([&](const std::string& line) { said(line); });
    ProcessSpec spec = script(program, scratch, "exec sleep 60");
    std::atomic<int> asked = 0;
    spec.key = [&]() -> Result<keys::SecretBytes> {
        const int turn = ++asked;
        if (turn == 2 || turn == 3) return fail(Code::integrity_mismatch, "the PCRs differ");
        return key_of('k');
    };
    ASSERT_TRUE(supervisor.add(spec));
    kill(supervisor.pid("sh"), SIGKILL);
    ASSERT_TRUE(eventually([&] { return asked == 4 && supervisor.pid("sh") > 0; }));
    const auto lines = said.lines();
    ASSERT_EQ(lines.size(), 3U);
    EXPECT_THAT(lines[1], testing::HasSubstr("the PCRs differ; trying again in 200 ms"));
    EXPECT_THAT(lines[2], testing::HasSubstr("the PCRs differ; trying again in 400 ms"));
}

TEST(supervisor, ready__fails__ended_and_not_added) {
    const Scratch scratch;
    const Descriptor program = shell();
    Supervisor supervisor([](const std::string&) {});
    ProcessSpec spec = script(program, scratch, "exec sleep 60");
    pid_t pid = -1;
    spec.ready = [&](const Process& process) -> Result<void> {
        pid = process.pid;
        return fail(Code::resource_timeout, "it does not answer");
    };
    const auto added = supervisor.add(spec);
    ASSERT_FALSE(added);
    EXPECT_THAT(added.error().message, testing::HasSubstr("it does not answer"));
    ASSERT_GT(pid, 0);
    EXPECT_EQ(kill(pid, 0), -1);
}

}  // namespace
}  // namespace quoin::cli
