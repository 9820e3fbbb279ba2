#include "cli/supervise/supervisor.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace quoin::cli
