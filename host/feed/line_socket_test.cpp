#include "host/feed/line_socket.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <fstream>

namespace quoin::feed {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Pair {
    LineSocket left, right;
    static Pair make() {
        std::array<int, 2> ends{};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()),
                  0);
        return {LineSocket(Descriptor(ends[0])), LineSocket(Descriptor(ends[1]))};
    }
};

struct Collected {
    std::vector<std::string> lines;
    Result<void> end;
};
Collected collect(LineSocket& socket) {
    Collected got;
    got.end = socket.receive([&](std::string_view line) -> Result<void> {
        got.lines.emplace_back(line);
        return {};
    });
    return got;
}

class Folder : public testing::Test {
protected:
    void SetUp() override {
        std::array<char, 32> name{"/tmp/quoin-feed-XXXXXX"};
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder_ = name.data();
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }
    std::filesystem::path folder_;
};
using listen_unix_ = Folder;

TEST(line_socket, lines_in_pieces__are_put_together) {
    auto pair = Pair::make();
    pair.left.queue("one\ntw");
    ASSERT_TRUE(pair.left.flush());
    EXPECT_THAT(collect(pair.right).lines, ElementsAre("one"));
    pair.left.queue("o\n\nfour\n");
    ASSERT_TRUE(pair.left.flush());
    EXPECT_THAT(collect(pair.right).lines, ElementsAre("two", "", "four"));
}

TEST(line_socket, other_side_gone__lines_first_then_the_end) {
    auto pair = Pair::make();
    {
        LineSocket gone = std::move(pair.left);
        gone.queue("last\n");
        ASSERT_TRUE(gone.flush());
    }
    const auto got = collect(pair.right);
    EXPECT_THAT(got.lines, ElementsAre("last"));
    ASSERT_FALSE(got.end);
    EXPECT_EQ(got.end.error().code, Code::resource_unavailable);
}

TEST(line_socket, line_without_end__is_oversize) {
    auto pair = Pair::make();
    pair.left.queue(std::string(max_line_bytes + 1, 'x'));
    ASSERT_TRUE(pair.left.flush());
    const auto got = collect(pair.right);
    ASSERT_FALSE(got.end);
    EXPECT_EQ(got.end.error().code, Code::peer_oversize);
}

TEST(line_socket, taker_refuses__receive_ends_with_its_error) {
    auto pair = Pair::make();
    pair.left.queue("a\nb\n");
    ASSERT_TRUE(pair.left.flush());
    int calls = 0;
    const auto end = pair.right.receive([&](std::string_view) -> Result<void> {
        ++calls;
        return fail(Code::peer_malformed, "no");
    });
    EXPECT_FALSE(end);
    EXPECT_EQ(calls, 1);
}

TEST(line_socket, reader_that_stands_still__leaves_a_backlog_that_arrives_later) {
    auto pair = Pair::make();
    std::string line(1000, 'y');
    line += '\n';
    constexpr std::size_t count = 3000;
    for (std::size_t i = 0; i < count; ++i) pair.left.queue(line);
    ASSERT_TRUE(pair.left.flush());
    EXPECT_GT(pair.left.backlog_bytes(), 0U);
    std::size_t arrived = 0;
    while (arrived < count) {
        const auto got = collect(pair.right);
        ASSERT_TRUE(got.end);
        arrived += got.lines.size();
        ASSERT_TRUE(pair.left.flush());
    }
    EXPECT_EQ(pair.left.backlog_bytes(), 0U);
}

TEST(line_socket, path_too_long__is_config_invalid_and_says_the_limit) {
    const auto dialled = LineSocket::connect("/tmp/" + std::string(200, 'x'));
    ASSERT_FALSE(dialled);
    EXPECT_EQ(dialled.error().code, Code::config_invalid);
    EXPECT_THAT(dialled.error().message, HasSubstr("107"));
}

TEST_F(listen_unix_, new_socket__is_for_its_owner_only) {
    const auto listener = listen_unix(folder_ / "s");
    ASSERT_TRUE(listener) << listener.error().message;
    struct stat status{};
    ASSERT_EQ(::stat((folder_ / "s").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
    const auto dialled = LineSocket::connect(folder_ / "s");
    ASSERT_TRUE(dialled);
    const auto uid = peer_uid(dialled->number());
    ASSERT_TRUE(uid);
    EXPECT_EQ(*uid, ::geteuid());
}

TEST_F(listen_unix_, dead_socket__is_replaced_and_a_served_one_is_not) {
    {
        ASSERT_TRUE(listen_unix(folder_ / "s"));
    }
    const auto second = listen_unix(folder_ / "s");
    ASSERT_TRUE(second) << second.error().message;
    const auto third = listen_unix(folder_ / "s");
    ASSERT_FALSE(third);
    EXPECT_EQ(third.error().code, Code::input_conflict);
    EXPECT_TRUE(LineSocket::connect(folder_ / "s"));
}

TEST_F(listen_unix_, other_kind_of_file__is_kept) {
    std::ofstream(folder_ / "s") << "mine";
    const auto listener = listen_unix(folder_ / "s");
    ASSERT_FALSE(listener);
    EXPECT_EQ(listener.error().code, Code::input_conflict);
    EXPECT_TRUE(std::filesystem::is_regular_file(folder_ / "s"));
}

TEST_F(listen_unix_, nobody_listens__connect_is_unavailable) {
    const auto dialled = LineSocket::connect(folder_ / "s");
    ASSERT_FALSE(dialled);
    EXPECT_EQ(dialled.error().code, Code::resource_unavailable);
}

}  // namespace
}  // namespace quoin::feed
