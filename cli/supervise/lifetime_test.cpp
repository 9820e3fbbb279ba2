#include "cli/supervise/lifetime.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include "cli/supervise/process.hpp"
#include "cli/supervise/scratch.hpp"
#include "host/files/files.hpp"

namespace quoin::cli {
namespace {

TEST(lifetime, save_load__own_process__is_alive) {
    const Scratch scratch;
    const auto own = Lifetime::of(getpid());
    ASSERT_TRUE(own.has_value());
    ASSERT_TRUE(own->save(scratch.path() / "up.json").has_value());
    const auto loaded = Lifetime::load(scratch.path() / "up.json");
    ASSERT_TRUE(loaded.has_value());
    ASSERT_TRUE(loaded->has_value());
    EXPECT_TRUE((*loaded)->is_alive());
}

TEST(lifetime, end__pid_used_by_another_process__touches_nothing) {
    const Scratch scratch;
    const Descriptor program = shell();
    auto process = launch(script(program, scratch, "exec sleep 60"));
    ASSERT_TRUE(process.has_value());
    auto lifetime = Lifetime::of(process->pid);
    ASSERT_TRUE(lifetime.has_value());
    lifetime->start_ticks += 1;
    const auto ended = lifetime->end(100);
    ASSERT_TRUE(ended.has_value());
    EXPECT_FALSE(*ended);
    EXPECT_FALSE(wait_for_end(*process, 0));
    lifetime->start_ticks -= 1;
    EXPECT_TRUE(lifetime->end(5000).value_or(false));
    EXPECT_EQ(reap(*process), "signal 15 (Terminated)");
}

TEST(lifetime, load__no_file__nothing) {
    const auto loaded = Lifetime::load("/tmp/quoin-there-is-no-such-file");
    ASSERT_TRUE(loaded.has_value());
    EXPECT_FALSE(loaded->has_value());
}

TEST(lifetime, load__not_a_record__is_an_error) {
    const Scratch scratch;
    for (const char* text : {"", "{}", R"({"pid":"1","start_ticks":1,"boot_id":"x"})", "[1,2]"}) {
        ASSERT_TRUE(files::write_atomically(scratch.path() / "up.json", text, 0600).has_value());
        EXPECT_FALSE(Lifetime::load(scratch.path() / "up.json").has_value()) << text;
    }
}

}  // namespace
}  // namespace quoin::cli
