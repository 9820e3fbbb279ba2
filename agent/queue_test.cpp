#include "agent/queue.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <deque>
#include <random>
#include <thread>

#include "agent/test_folder.hpp"

namespace quoin::agent {
namespace {

namespace fs = std::filesystem;
using test::TempFolder;

Sample sample_of(const std::string& stream, double value) {
    return {stream, 1'700'000'000'000, {{"v", value}}};
}

std::unique_ptr<Queue> open(const fs::path& folder, QueueLimits limits = {}) {
    auto queue = Queue::open(folder / "queue.sqlite", limits);
    EXPECT_TRUE(queue) << queue.error().message;
    return *std::move(queue);
}

Added add(Queue& queue, const std::string& stream, double value,
          std::optional<Cursor> cursor = std::nullopt) {
    const Sample sample = sample_of(stream, value);
    const auto added = queue.add({&sample, 1}, cursor);
    EXPECT_TRUE(added) << added.error().message;
    return *added;
}

// "seq:values" of everything held.
std::vector<std::string> held(Queue& queue, const std::string& stream) {
    std::vector<std::string> out;
    const auto rows = queue.read(stream, 0, 100'000);
    EXPECT_TRUE(rows);
    for (const Held& row : *rows) out.push_back(std::to_string(row.seq) + ":" + row.values);
    return out;
}

using Lines = std::vector<std::string>;

TEST(queue, add__new_streams__each_counts_from_one) {
    const TempFolder folder;
    const auto queue = open(folder.path());
    add(*queue, "a", 10);
    add(*queue, "b", 20);
    add(*queue, "a", 11);
    EXPECT_EQ(held(*queue, "a"), (Lines{"1:{\"v\":10}", "2:{\"v\":11}"}));
    EXPECT_EQ(held(*queue, "b"), (Lines{"1:{\"v\":20}"}));
    EXPECT_EQ(queue->rows(), 3U);
}

TEST(queue, reopen__rows_sequences_and_cursor__are_there) {
    const TempFolder folder;
    {
        const auto queue = open(folder.path());
        add(*queue, "a", 1, Cursor{"source", "17"});
        add(*queue, "a", 2, Cursor{"source", "34"});
        ASSERT_TRUE(queue->acknowledge({{"a", 2}}));
    }
    const auto queue = open(folder.path());
    EXPECT_EQ(queue->rows(), 0U);
    EXPECT_EQ(queue->bytes(), 0U);
    EXPECT_EQ(**queue->cursor("source"), "34");
    EXPECT_FALSE(queue->cursor("other")->has_value());
    add(*queue, "a", 3);
    EXPECT_EQ(held(*queue, "a"), (Lines{"3:{\"v\":3}"}));  // not 1: the sequence survived
}

TEST(queue, acknowledge__removes_up_to_it__and_no_more) {
    const TempFolder folder;
    const auto queue = open(folder.path());
    for (int i = 1; i <= 5; ++i) add(*queue, "a", i);
    add(*queue, "b", 1);
    EXPECT_TRUE(queue->acknowledge({{"a", 3}})->progress);
    EXPECT_EQ(held(*queue, "a"), (Lines{"4:{\"v\":4}", "5:{\"v\":5}"}));
    EXPECT_FALSE(queue->acknowledge({{"a", 2}})->progress);  // an old one
    EXPECT_EQ(queue->rows(), 3U);
    EXPECT_EQ(queue->streams()[0].first, 4U);
}

TEST(queue, acknowledge__above_everything__renumbers_what_is_held) {
    const TempFolder folder;
    const auto queue = open(folder.path());
    add(*queue, "a", 1);
    add(*queue, "a", 2);
    const auto acked = queue->acknowledge({{"a", 5000}, {"new", 7}});
    EXPECT_EQ(acked->renumbered, (Lines{"a", "new"}));
    EXPECT_EQ(held(*queue, "a"), (Lines{"5001:{\"v\":1}", "5002:{\"v\":2}"}));
    add(*queue, "a", 3);
    add(*queue, "new", 1);
    EXPECT_EQ(held(*queue, "a").back(), "5003:{\"v\":3}");
    EXPECT_EQ(held(*queue, "new"), (Lines{"8:{\"v\":1}"}));
}

TEST(queue, block__full__writes_nothing_and_waits_for_an_acknowledgement) {
    const TempFolder folder;
    const auto queue = open(folder.path(), {.max_rows = 4});
    for (int i = 1; i <= 4; ++i) EXPECT_EQ(add(*queue, "a", i), Added::stored);
    EXPECT_EQ(add(*queue, "a", 5, Cursor{"s", "5"}), Added::full);
    EXPECT_EQ(queue->rows(), 4U);
    EXPECT_FALSE(queue->cursor("s")->has_value());
    std::jthread server([&] { EXPECT_TRUE(queue->acknowledge({{"a", 1}})); });
    const std::stop_source never;
    while (queue->rows() == 4) queue->wait_for_room(never.get_token());
    EXPECT_EQ(add(*queue, "a", 5, Cursor{"s", "5"}), Added::stored);
    EXPECT_EQ(held(*queue, "a").back(), "5:{\"v\":5}");
}

TEST(queue, drop_newest__full__gives_no_number_and_moves_the_cursor) {
    const TempFolder folder;
    const auto queue = open(folder.path(), {.max_rows = 2, .when_full = WhenFull::drop_newest});
    add(*queue, "a", 1);
    add(*queue, "a", 2);
    EXPECT_EQ(add(*queue, "a", 3, Cursor{"s", "3"}), Added::dropped);
    EXPECT_EQ(**queue->cursor("s"), "3");
    ASSERT_TRUE(queue->acknowledge({{"a", 2}}));
    add(*queue, "a", 4);
    EXPECT_EQ(held(*queue, "a"), (Lines{"3:{\"v\":4}"}));
    EXPECT_EQ(queue->dropped(), 1U);
}

TEST(queue, drop_oldest__full__raises_the_first_of_the_oldest_stream) {
    const TempFolder folder;
    const auto queue = open(folder.path(), {.max_rows = 3, .when_full = WhenFull::drop_oldest});
    add(*queue, "a", 1);
    add(*queue, "b", 1);
    add(*queue, "a", 2);
    EXPECT_EQ(add(*queue, "b", 2), Added::dropped);
    EXPECT_EQ(held(*queue, "a"), (Lines{"2:{\"v\":2}"}));
    EXPECT_EQ(queue->streams()[0].first, 2U);
    EXPECT_EQ(add(*queue, "a", 3), Added::dropped);
    EXPECT_EQ(held(*queue, "b"), (Lines{"2:{\"v\":2}"}));
}

TEST(queue, bytes__are_bounded_too) {
    const TempFolder folder;
    const auto queue = open(folder.path(), {.max_bytes = 1000});
    int stored = 0;
    while (add(*queue, "a", stored) == Added::stored) ++stored;
    EXPECT_GT(stored, 2);
    EXPECT_LE(queue->bytes(), 1000U);
    ASSERT_TRUE(queue->acknowledge({{"a", static_cast<std::uint64_t>(stored)}}));
    EXPECT_EQ(queue->bytes(), 0U);
}

TEST(queue, bytes__of_texts_beyond_ascii__come_back_to_zero) {
    const TempFolder folder;
    const auto queue = open(folder.path());
    const Sample sample{"a", 1'700'000'000'000, {{"v", std::string("é°ü")}}};
    ASSERT_TRUE(queue->add({&sample, 1}, std::nullopt));
    ASSERT_TRUE(queue->acknowledge({{"a", 1}}));
    EXPECT_EQ(queue->bytes(), 0U);
}

TEST(queue, add__what_the_server_would_refuse__is_refused_whole) {
    const TempFolder folder;
    const auto queue = open(folder.path());
    const std::vector<Sample> batch{sample_of("a", 1), sample_of("Not a stream", 1)};
    EXPECT_EQ(queue->add(batch, Cursor{"s", "1"}).error().code, Code::input_invalid);
    EXPECT_EQ(queue->rows(), 0U);
    EXPECT_FALSE(queue->cursor("s")->has_value());
}

TEST(queue, add__time_that_the_server_would_refuse__is_refused) {
    const TempFolder folder;
    const auto queue = open(folder.path());
    for (const std::int64_t ts_ms : {std::int64_t{0}, std::int64_t{946'684'799'999},
                                     std::numeric_limits<std::int64_t>::max() / 2}) {
        const Sample sample{"a", ts_ms, {{"v", 1.0}}};
        EXPECT_EQ(queue->add({&sample, 1}, std::nullopt).error().code, Code::input_invalid);
    }
    EXPECT_EQ(queue->rows(), 0U);
}

TEST(queue, open__damaged_file__is_an_error) {
    const TempFolder folder;
    test::write(folder.path() / "queue.sqlite", std::string(8192, 'x'));
    EXPECT_FALSE(Queue::open(folder.path() / "queue.sqlite", {}));
}

// What a queue must do, without a disk.
struct Model {
    std::map<std::string, std::deque<std::pair<std::uint64_t, int>>> streams;
    std::map<std::string, std::uint64_t> next;
    std::size_t rows() const {
        std::size_t sum = 0;
        for (const auto& [name, stream] : streams) sum += stream.size();
        return sum;
    }
};

TEST(queue, any_calls__agree_with_the_model__also_after_reopening) {
    const bool good = rc::check("queue agrees with its model", [] {
        const TempFolder folder;
        constexpr std::uint64_t max_rows = 10;
        auto queue = open(folder.path(), {.max_rows = max_rows});
        Model model;
        int value = 0;
        const int steps = *rc::gen::inRange(1, 40);
        for (int step = 0; step < steps; ++step) {
            const std::string stream = *rc::gen::element<std::string>("a", "b");
            const int kind = *rc::gen::inRange(0, 10);
            if (kind < 6) {
                const bool room = model.rows() < max_rows;
                RC_ASSERT((add(*queue, stream, ++value) == Added::stored) == room);
                if (room) model.streams[stream].emplace_back(++model.next[stream], value);
            } else if (kind < 9) {
                // An acknowledgement from far below to somewhat above what was ever numbered.
                const std::uint64_t seq =
                    *rc::gen::inRange<std::uint64_t>(0, model.next[stream] + 3);
                RC_ASSERT(queue->acknowledge({{stream, seq}}).has_value());
                auto& rows = model.streams[stream];
                if (seq > model.next[stream]) {
                    std::uint64_t number = seq;
                    for (auto& row : rows) row.first = ++number;
                    model.next[stream] = number;
                } else {
                    while (!rows.empty() && rows.front().first <= seq) rows.pop_front();
                }
            } else {
                queue.reset();
                queue = open(folder.path(), {.max_rows = max_rows});
            }
            for (const std::string name : {"a", "b"}) {
                Lines expected;
                for (const auto& [seq, number] : model.streams[name]) {
                    expected.push_back(fmt::format("{}:{{\"v\":{}}}", seq, number));
                }
                RC_ASSERT(held(*queue, name) == expected);
            }
            RC_ASSERT(queue->rows() == model.rows());
        }
    });
    EXPECT_TRUE(good);
}

// A child adds numbered samples with the number as cursor, and removes some; it is killed
// somewhere.
[[noreturn]] void fill_until_killed(const fs::path& folder) {
    const auto queue = Queue::open(folder / "queue.sqlite", {});
    if (!queue) ::_exit(1);
    const auto kept = (*queue)->cursor("s");
    if (!kept) ::_exit(1);
    for (int i = kept->has_value() ? std::stoi(**kept) + 1 : 1;; ++i) {
        const Sample sample = sample_of("a", i);
        if (!(*queue)->add({&sample, 1}, Cursor{"s", std::to_string(i)})) ::_exit(1);
        const auto seq = static_cast<std::uint64_t>(i);
        if (i % 7 == 0 && !(*queue)->acknowledge({{"a", seq - 5}})) ::_exit(1);
    }
}

TEST(queue, killed_at_any_moment__cursor_and_rows_agree) {
    const TempFolder folder;
    const unsigned seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    std::uint64_t last = 0;
    for (int round = 0; round < 20; ++round) {
        const pid_t child = ::fork();
        if (child == 0) fill_until_killed(folder.path());
        // tidy: allow(banned-call) because the moment of the kill is the point.
        std::this_thread::sleep_for(std::chrono::microseconds(10'000 + random() % 40'000));
        ::kill(child, SIGKILL);
        int status = 0;
        ::waitpid(child, &status, 0);
        ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself";
        const auto queue = open(folder.path());
        const auto cursor = *queue->cursor("s");
        const std::uint64_t written = cursor ? std::stoull(*cursor) : 0;
        ASSERT_GE(written, last);
        last = written;
        // Every number once, without a gap, and the newest is the cursor's.
        const auto rows = *queue->read("a", 0, 1'000'000);
        std::uint64_t expected = rows.empty() ? written + 1 : rows.front().seq;
        for (const Held& row : rows) {
            ASSERT_EQ(row.seq, expected);
            ASSERT_EQ(row.values, fmt::format("{{\"v\":{}}}", expected));
            ++expected;
        }
        ASSERT_EQ(expected, written + 1);
        ASSERT_EQ(written == 0 ? 1 : queue->streams().at(0).next, written + 1);
    }
    EXPECT_GT(last, 20U);
}

}  // namespace
}  // namespace quoin::agent
