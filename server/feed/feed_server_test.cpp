#include "server/feed/feed_server.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <array>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "host/feed/line_socket.hpp"

namespace quoin::server {
namespace {

using namespace std::chrono_literals;
using feed::Device;
using feed::Grant;
using feed::ToPlugin;
using testing::ElementsAre;

constexpr int patience_ms = 20'000;

// The plugin's end: checks the order of the lines as the plugin does.
class FakePlugin {
public:
    explicit FakePlugin(const std::filesystem::path& path) : socket_(dial(path)) {}

    void say(const feed::FromPlugin& message) { say_line(feed::encode(message)); }
    void say_line(std::string_view line) {
        socket_.queue(line);
        ASSERT_TRUE(socket_.flush());
    }
    void hello() { say(feed::PluginHello{1, nonce}); }

    // Reads until `done`; false when the connection ends or nothing comes for too long.
    bool read_until(const std::function<bool()>& done) {
        while (!done()) {
            pollfd event{socket_.number(), POLLIN, 0};
            if (::poll(&event, 1, patience_ms) != 1) return false;
            if (!socket_.receive([this](std::string_view line) { return take(line); }))
                return done();
        }
        return true;
    }
    bool read_snapshot() {
        return read_until([this] { return snapshots == 1; });
    }
    bool read_to_the_end() {
        return !read_until([] { return false; });
    }

    feed::Nonce nonce{7};
    std::optional<feed::Head> head;
    std::vector<std::uint64_t> statements;
    int snapshots = 0;
    int heartbeats = 0;
    std::uint64_t seq = 0;
    std::optional<feed::Hello> greeting;
    std::map<std::string, Device> devices;
    std::vector<std::string> behind_snapshot;
    std::uint64_t lines = 0;  // of the snapshot

private:
    static feed::LineSocket dial(const std::filesystem::path& path) {
        auto dialled = feed::LineSocket::connect(path);
        EXPECT_TRUE(dialled);
        return dialled ? std::move(*dialled) : feed::LineSocket(Descriptor());
    }

    Result<void> take(std::string_view line) {
        const auto message = feed::decode_to_plugin(line);
        EXPECT_TRUE(message) << line;
        if (!message) return std::unexpected(message.error());
        if (const auto* hello = std::get_if<feed::Hello>(&*message)) greeting = *hello;
        if (const auto* device = std::get_if<Device>(&*message)) take_device(*device);
        if (const auto* revocation = std::get_if<feed::Revocation>(&*message)) {
            EXPECT_EQ(revocation->seq, seq + 1);
            seq = revocation->seq;
            statements.push_back(revocation->statement.front());
        }
        if (const auto* end = std::get_if<feed::SnapshotEnd>(&*message)) {
            ++snapshots;
            take_head(*end);
            EXPECT_EQ(end->count, lines);
            EXPECT_TRUE(devices.empty() || end->seq == seq);
            seq = end->seq;
        }
        if (const auto* beat = std::get_if<feed::Heartbeat>(&*message)) {
            ++heartbeats;
            EXPECT_EQ(beat->seq, seq);
        }
        return {};
    }
    void take_head(const feed::SnapshotEnd& end) {
        const auto read = feed::decode_head(end.head);
        ASSERT_TRUE(read);
        head = *read;
        EXPECT_EQ(head->nonce, nonce);
        EXPECT_EQ(head->entries, *entries_.finish());
        EXPECT_EQ(end.signature, end.head) << "as the test signs";
    }
    void take_device(const Device& device) {
        EXPECT_TRUE(greeting);
        EXPECT_TRUE(snapshots > 0 || devices.empty() || device.id >= devices.rbegin()->first);
        EXPECT_TRUE(seq == 0 || device.seq == seq + 1);
        seq = device.seq;
        if (snapshots > 0) {
            devices[device.id] = device;
            behind_snapshot.push_back(device.id);
            return;
        }
        ++lines;
        EXPECT_TRUE(
            entries_.add(device.id, device.epoch, device.state == "revoked", device.revoked));
        auto& revoked = devices.try_emplace(device.id, device).first->second.revoked;
        if (revoked != device.revoked) {
            revoked.insert(revoked.end(), device.revoked.begin(), device.revoked.end());
        }
    }

    feed::LineSocket socket_;
    feed::EntriesDigest entries_;
};

class feed_server : public testing::Test {
protected:
    void SetUp() override {
        std::array<char, 32> name{"/tmp/quoin-feed-XXXXXX"};
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder_ = name.data();
        options_.socket = folder_ / "broker.sock";
        options_.site = "plant-1";
        options_.epoch = 7;
        bus_.broker_link.listen([this](const BrokerLink& link) {
            const std::lock_guard lock(mutex_);
            links_.push_back(link.up);
            changed_.notify_all();
        });
        bus_.broker_session.listen([this](const BrokerSession& session) {
            const std::lock_guard lock(mutex_);
            reports_.push_back(feed::encode(session.report));
            changed_.notify_all();
        });
    }
    void TearDown() override {
        server_.reset();
        std::filesystem::remove_all(folder_);
    }
    void start(FeedServer::Snapshot snapshot) {
        auto started = FeedServer::start(
            options_, std::move(snapshot), sign_, [this] { return current_.load(); }, bus_);
        ASSERT_TRUE(started) << started.error().message;
        server_ = std::move(*started);
    }
    void start_with(std::vector<Device> devices) {
        start([devices] { return feed::PlantState{devices}; });
    }
    bool wait_for(const std::function<bool()>& condition) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, std::chrono::milliseconds(patience_ms), condition);
    }

    std::filesystem::path folder_;
    FeedOptions options_;
    std::atomic<std::uint8_t> issuer_ = 1;
    feed::Sign sign_ = [this](Bytes message) -> Result<feed::Seal> {
        return feed::Seal{.signature = {message.begin(), message.end()}, .issuer = {issuer_}};
    };
    std::atomic<bool> current_ = true;
    Bus bus_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<bool> links_;
    std::vector<std::string> reports_;
    std::unique_ptr<FeedServer> server_;
};

Device device(std::string id, Grant grant) {
    return {0, std::move(id), 1, grant, "active", "", {}};
}

TEST_F(feed_server, hello__gets_greeting_snapshot_and_changes_in_order) {
    start_with({device("a", Grant::full), device("b", Grant::none)});
    FakePlugin plugin(options_.socket);
    plugin.hello();
    ASSERT_TRUE(plugin.read_snapshot());
    ASSERT_TRUE(plugin.greeting);
    EXPECT_EQ(plugin.greeting->site, "plant-1");
    EXPECT_EQ(plugin.greeting->epoch, 7U);
    EXPECT_EQ(plugin.greeting->lifetime_ms, 30'000);
    EXPECT_EQ(plugin.devices.size(), 2U);
    server_->push(device("a", Grant::none));
    server_->push(device("c", Grant::full));
    ASSERT_TRUE(plugin.read_until([&] { return plugin.behind_snapshot.size() == 2; }));
    EXPECT_EQ(plugin.devices["a"].grant, Grant::none);
    EXPECT_THAT(plugin.behind_snapshot, ElementsAre("a", "c"));
}

TEST_F(feed_server, no_devices__is_an_empty_snapshot) {
    start_with({});
    FakePlugin plugin(options_.socket);
    plugin.hello();
    EXPECT_TRUE(plugin.read_snapshot());
}

TEST_F(feed_server, states_may_have_run_out__no_heartbeats_until_they_are_current) {
    options_.lifetime = std::chrono::milliseconds(40);
    start_with({});
    FakePlugin plugin(options_.socket);
    plugin.hello();
    ASSERT_TRUE(plugin.read_until([&] { return plugin.heartbeats == 2; }));
    current_ = false;
    // At most the one that was on its way; then only what is pushed.
    server_->push(device("d1", Grant::full));
    ASSERT_TRUE(plugin.read_until([&] { return plugin.devices.contains("d1"); }));
    const int before = plugin.heartbeats;
    for (int i = 0; i < 20; ++i) {
        const std::string id = fmt::format("e{}", i);
        server_->push(device(id, Grant::full));
        ASSERT_TRUE(plugin.read_until([&] { return plugin.devices.contains(id); }));
        // tidy: allow(banned-call) because nothing must come in this time.
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    EXPECT_LE(plugin.heartbeats, before + 1);
    current_ = true;
    EXPECT_TRUE(plugin.read_until([&] { return plugin.heartbeats >= before + 3; }));
}

TEST_F(feed_server, quiet_time__heartbeats_come) {
    options_.lifetime = 40ms;
    start_with({device("a", Grant::full)});
    FakePlugin plugin(options_.socket);
    plugin.hello();
    EXPECT_TRUE(plugin.read_until([&] { return plugin.heartbeats == 3; }));
}

TEST_F(feed_server, push_while_the_snapshot_is_read__comes_behind_it) {
    start([this]() -> Result<feed::PlantState> {
        server_->push(device("a", Grant::none));  // committed after this snapshot was read
        return feed::PlantState{{device("a", Grant::full)}};
    });
    FakePlugin plugin(options_.socket);
    plugin.hello();
    ASSERT_TRUE(plugin.read_until([&] { return !plugin.behind_snapshot.empty(); }));
    EXPECT_EQ(plugin.devices["a"].grant, Grant::none);
}

TEST_F(feed_server, push_without_a_plugin__is_in_the_next_snapshot_only) {
    std::atomic<bool> isolated = false;
    start([&]() -> Result<feed::PlantState> {
        return feed::PlantState{{device("a", isolated ? Grant::none : Grant::full)}};
    });
    isolated = true;
    server_->push(device("a", Grant::none));
    FakePlugin plugin(options_.socket);
    plugin.hello();
    ASSERT_TRUE(plugin.read_snapshot());
    EXPECT_EQ(plugin.devices["a"].grant, Grant::none);
    EXPECT_EQ(plugin.seq, 1U);
}

feed::SealedStatement statement(std::uint8_t number, std::uint8_t issuer = 1) {
    return {
        .number = number, .statement = {number}, .seal = {.signature = {2}, .issuer = {issuer}}};
}

TEST_F(feed_server, statements__come_behind_the_snapshot_that_does_not_have_them) {
    start([this]() -> Result<feed::PlantState> {
        for (std::uint8_t number = 1; number <= 3; ++number) server_->push(statement(number));
        return feed::PlantState{.devices = {device("a", Grant::full)}, .number = 2};
    });
    FakePlugin plugin(options_.socket);
    plugin.hello();
    ASSERT_TRUE(plugin.read_until([&] { return !plugin.statements.empty(); }));
    EXPECT_EQ(plugin.head->number, 2U);
    server_->push(statement(4));
    server_->push(device("a", Grant::none));
    ASSERT_TRUE(plugin.read_until([&] { return !plugin.behind_snapshot.empty(); }));
    EXPECT_THAT(plugin.statements, ElementsAre(3U, 4U));
}

TEST_F(feed_server, statement_of_a_new_issuing_ca__the_plugin_must_greet_it) {
    start_with({device("a", Grant::full)});
    FakePlugin first(options_.socket);
    first.hello();
    ASSERT_TRUE(first.read_snapshot());
    EXPECT_EQ(first.greeting->issuer, crypto::ByteVector{1});
    issuer_ = 2;
    server_->push(statement(1, 2));
    EXPECT_TRUE(first.read_to_the_end());
    EXPECT_TRUE(first.statements.empty());
    FakePlugin second(options_.socket);
    second.hello();
    ASSERT_TRUE(second.read_snapshot());
    EXPECT_EQ(second.greeting->issuer, crypto::ByteVector{2});
}

// Many writers, a plugin that comes and goes: no gap, and the last line about each device is its
// last state in the "database".
TEST_F(feed_server, writers_and_reconnects__no_update_is_lost) {
    constexpr int writers = 4;
    constexpr int rounds = 300;
    std::mutex database_mutex;
    std::map<std::string, int> database;
    start([&]() -> Result<feed::PlantState> {
        const std::lock_guard lock(database_mutex);
        feed::PlantState all;
        for (const auto& [id, value] : database) {
            all.devices.push_back(Device{0, id, 1, Grant::full, std::to_string(value), "", {}});
        }
        return all;
    });
    std::atomic<int> running = writers;
    std::vector<std::jthread> threads;
    for (int writer = 0; writer < writers; ++writer) {
        threads.emplace_back([&, writer] {
            const std::string id = "device-" + std::to_string(writer);
            for (int value = 0; value < rounds; ++value) {
                {
                    const std::lock_guard lock(database_mutex);
                    database[id] = value;
                }
                server_->push(Device{0, id, 1, Grant::full, std::to_string(value), "", {}});
            }
            --running;
        });
    }
    while (running > 0) {
        FakePlugin passing(options_.socket);
        passing.hello();
        ASSERT_TRUE(passing.read_snapshot());
    }
    FakePlugin plugin(options_.socket);
    plugin.hello();
    ASSERT_TRUE(plugin.read_snapshot());
    server_->push(device("end", Grant::full));
    ASSERT_TRUE(plugin.read_until([&] { return plugin.devices.contains("end"); }));
    for (int writer = 0; writer < writers; ++writer) {
        EXPECT_EQ(plugin.devices["device-" + std::to_string(writer)].state,
                  std::to_string(rounds - 1));
    }
}

TEST_F(feed_server, writers_while_live__last_state_wins) {
    start_with({});
    FakePlugin plugin(options_.socket);
    plugin.hello();
    ASSERT_TRUE(plugin.read_snapshot());
    std::vector<std::jthread> threads;
    for (int writer = 0; writer < 4; ++writer) {
        threads.emplace_back([&, writer] {
            for (int value = 0; value <= 200; ++value) {
                server_->push(Device{0,
                                     "d" + std::to_string(writer),
                                     1,
                                     Grant::full,
                                     std::to_string(value),
                                     "",
                                     {}});
            }
        });
    }
    ASSERT_TRUE(plugin.read_until([&] { return plugin.behind_snapshot.size() == 804; }));
    for (const auto& [id, last] : plugin.devices) EXPECT_EQ(last.state, "200") << id;
}

TEST_F(feed_server, snapshot_fails__the_plugin_is_not_told_that_the_plant_is_empty) {
    std::atomic<bool> broken = true;
    start([&]() -> Result<feed::PlantState> {
        if (broken) return fail(Code::resource_unavailable, "database is away");
        return feed::PlantState{{device("a", Grant::full)}};
    });
    FakePlugin first(options_.socket);
    first.hello();
    EXPECT_TRUE(first.read_to_the_end());
    EXPECT_EQ(first.snapshots, 0);
    EXPECT_FALSE(first.greeting);
    broken = false;
    FakePlugin second(options_.socket);
    second.hello();
    EXPECT_TRUE(second.read_snapshot());
}

TEST_F(feed_server, first_line_is_no_hello__is_closed) {
    start_with({device("a", Grant::full)});
    FakePlugin plugin(options_.socket);
    plugin.say(feed::Connected{"a", "", ""});
    EXPECT_TRUE(plugin.read_to_the_end());
    EXPECT_TRUE(plugin.devices.empty());
}

TEST_F(feed_server, malformed_report__is_closed_and_the_link_is_down) {
    start_with({});
    FakePlugin plugin(options_.socket);
    plugin.hello();
    ASSERT_TRUE(plugin.read_snapshot());
    plugin.say_line("{\"type\":\"connected\"}\n");
    EXPECT_TRUE(plugin.read_to_the_end());
    EXPECT_TRUE(wait_for([this] { return links_ == std::vector{true, false}; }));
    EXPECT_TRUE(reports_.empty());
}

TEST_F(feed_server, reports__reach_the_bus) {
    start_with({});
    FakePlugin plugin(options_.socket);
    plugin.hello();
    ASSERT_TRUE(plugin.read_snapshot());
    const feed::Applied applied{3, "a", true, 17};
    plugin.say(applied);
    ASSERT_TRUE(wait_for([this] { return !reports_.empty(); }));
    EXPECT_EQ(reports_.front(), feed::encode(feed::FromPlugin{applied}));
}

TEST_F(feed_server, second_plugin__replaces_the_first) {
    start_with({device("a", Grant::full)});
    FakePlugin first(options_.socket);
    first.hello();
    ASSERT_TRUE(first.read_snapshot());
    FakePlugin second(options_.socket);
    second.hello();
    EXPECT_TRUE(second.read_snapshot());
    EXPECT_TRUE(first.read_to_the_end());
}

TEST_F(feed_server, plugin_that_does_not_read__is_dropped) {
    options_.max_backlog_bytes = 10'000;
    start_with({});
    FakePlugin plugin(options_.socket);
    plugin.hello();
    ASSERT_TRUE(wait_for([this] { return links_ == std::vector{true}; }));
    const auto is_dropped = [this] {
        const std::lock_guard lock(mutex_);
        return links_.size() == 2;
    };
    const std::string long_reason(1500, 'r');
    while (!is_dropped()) {
        server_->push(Device{0, "a", 1, Grant::full, "active", long_reason, {}});
    }
    EXPECT_TRUE(plugin.read_to_the_end());
}

TEST_F(feed_server, more_revoked_certificates_than_fit_a_line__are_in_several) {
    Device heavy = device("a", Grant::full);
    for (int i = 0; i < 2500; ++i) heavy.revoked.push_back(fmt::format("{:040x}", i));
    start_with({heavy, device("b", Grant::full)});
    FakePlugin plugin(options_.socket);
    plugin.hello();
    ASSERT_TRUE(plugin.read_snapshot());
    EXPECT_EQ(plugin.lines, 4U);
    EXPECT_EQ(plugin.devices["a"].grant, Grant::full);
    std::ranges::sort(plugin.devices["a"].revoked);
    EXPECT_EQ(plugin.devices["a"].revoked, heavy.revoked);
}

TEST_F(feed_server, socket_in_use__second_server_is_refused) {
    start_with({});
    const auto second = FeedServer::start(
        options_, [] { return feed::PlantState{}; }, sign_, [] { return true; }, bus_);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Code::input_conflict);
}

TEST_F(feed_server, ends__plugin_is_closed_and_the_socket_is_gone) {
    start_with({});
    FakePlugin plugin(options_.socket);
    plugin.hello();
    ASSERT_TRUE(plugin.read_snapshot());
    server_.reset();
    EXPECT_TRUE(plugin.read_to_the_end());
    EXPECT_FALSE(std::filesystem::exists(options_.socket));
}

}  // namespace
}  // namespace quoin::server
