// What every real anchor must do for a store: the file that goes on, old copies, a lost file.
#pragma once

#include <gtest/gtest.h>

#include <functional>

#include "host/counters/store.hpp"

namespace quoin::counters::test {

// `provider` opens the key store anew, as a program that starts does.
inline void expect_anchors(
    const std::filesystem::path& file,
    const std::function<std::unique_ptr<keys::SecurityProvider>()>& provider) {
    const auto anchor = [&] {
        auto made = make_anchor(provider(), "test:", "plant");
        EXPECT_TRUE(made) << made.error().message;
        return made ? *std::move(made) : nullptr;
    };
    const auto created = Store::create(file, "plant", anchor().get());
    ASSERT_TRUE(created) << created.error().message;
    std::vector<std::string> files;
    std::uint64_t next = 0;
    for (int opening = 0; opening < 3; ++opening) {
        auto store = Store::open(file, "plant", anchor());
        ASSERT_TRUE(store) << store.error().message;
        if (opening == 0) {
            ASSERT_TRUE((*store)->add_scarce("index", 1000));
        }
        files.push_back(*files::read(file));
        const auto block = (*store)->reserve("index", 5);
        ASSERT_TRUE(block) << block.error().message;
        EXPECT_EQ(block->first, next);
        next += 5;
    }
    const std::string newest = *files::read(file);
    for (const std::string& old : files) {
        ASSERT_TRUE(files::write_atomically(file, old, 0600));
        const auto store = Store::open(file, "plant", anchor());
        ASSERT_FALSE(store);
        EXPECT_TRUE(store.error().message.contains("is an old copy")) << store.error().message;
    }
    std::filesystem::remove(file);
    const auto lost = Store::open(file, "plant", anchor());
    ASSERT_FALSE(lost);
    EXPECT_TRUE(lost.error().message.contains("is gone")) << lost.error().message;
    ASSERT_TRUE(files::write_atomically(file, newest, 0600));
    {
        auto first = Store::open(file, "plant", anchor());
        ASSERT_TRUE(first) << first.error().message;
        // A copy of the disk beside it: the two have one anchor.
        const auto copy = file.parent_path() / "copy";
        ASSERT_TRUE(files::write_atomically(copy, *files::read(file), 0600));
        auto second = Store::open(copy, "plant", anchor());
        ASSERT_TRUE(second) << second.error().message;
        EXPECT_EQ((*first)->reserve("index", 1).error().code, Code::integrity_mismatch);
    }
    EXPECT_FALSE(Store::open(file, "plant", anchor()));
    const auto adopted = Store::adopt(file, "plant", anchor().get(), 0);
    ASSERT_TRUE(adopted) << adopted.error().message;
    EXPECT_TRUE(Store::open(file, "plant", anchor()));
}

}  // namespace quoin::counters::test
