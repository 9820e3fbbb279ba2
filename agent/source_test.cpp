#include "agent/source.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "agent/test_folder.hpp"

extern char** environ;

namespace quoin::agent {
namespace {

using test::TempFolder;

std::unique_ptr<Queue> open(const TempFolder& folder) {
    return *Queue::open(folder.path() / "queue.sqlite", {});
}

std::vector<nlohmann::json> values(Queue& queue, const std::string& stream) {
    std::vector<nlohmann::json> out;
    const auto rows = queue.read(stream, 0, 100'000);
    for (const Held& row : *rows) {
        out.push_back(nlohmann::json::parse(row.values));
    }
    return out;
}

// Waits for what the queue's new samples make true.
template <class Condition>
bool wait_for(Queue& queue, Condition&& condition) {
    struct Bell {
        std::mutex mutex;
        std::condition_variable rung;
    };
    const auto bell = std::make_shared<Bell>();
    queue.on_added([bell] {
        const std::lock_guard lock(bell->mutex);
        bell->rung.notify_all();
    });
    std::unique_lock lock(bell->mutex);
    return bell->rung.wait_for(lock, std::chrono::seconds(20), condition);
}

CsvOptions csv(const TempFolder& folder) {
    CsvOptions options;
    options.name = "s";
    options.stream = "hall";
    options.file = folder.path() / "data.csv";
    options.value = "temperature_f";
    options.speed = 1e9;
    return options;
}

constexpr std::string_view three_rows =
    "timestamp,value\n2013-07-04 00:00:00,50\n2013-07-04 01:00:00,68\n2013-07-04 02:00:00,86";

TEST(csv_source, file__is_replayed_whole__also_without_a_last_newline) {
    const TempFolder folder;
    test::write(folder.path() / "data.csv", std::string(three_rows));
    const auto queue = open(folder);
    make_csv_source(csv(folder), *queue)->run({});
    const auto got = values(*queue, "hall");
    ASSERT_EQ(got.size(), 3U);
    EXPECT_EQ(got[0], (nlohmann::json{{"temperature_f", 50}}));
    EXPECT_EQ(got[2], (nlohmann::json{{"temperature_f", 86}}));
}

TEST(csv_source, converted__is_celsius__with_the_files_time) {
    const TempFolder folder;
    test::write(folder.path() / "data.csv", std::string(three_rows));
    const auto queue = open(folder);
    CsvOptions options = csv(folder);
    options.value = "temperature_c";
    options.fahrenheit_to_celsius = true;
    options.file_time = true;
    make_csv_source(options, *queue)->run({});
    EXPECT_EQ(values(*queue, "hall").at(1), (nlohmann::json{{"temperature_c", 20}}));
    EXPECT_EQ(queue->read("hall", 1, 1)->at(0).ts_ms, 1372896000000);
}

TEST(csv_source, bad_lines__are_left_out__and_do_not_stop_it) {
    const TempFolder folder;
    test::write(folder.path() / "data.csv",
                "timestamp,value\n2013-07-04 00:00:00,1\nnonsense\n" + std::string(100'000, 'x') +
                    "\n2013-07-04 01:00:00,nan\n2013-07-04 02:00:00,2\n");
    const auto queue = open(folder);
    make_csv_source(csv(folder), *queue)->run({});
    EXPECT_EQ(values(*queue, "hall").size(), 2U);
}

TEST(csv_source, stopped_and_started_at_any_row__neither_loses_nor_repeats) {
    const TempFolder folder;
    std::string text = "timestamp,value\n";
    constexpr int rows = 500;
    for (int i = 0; i < rows; ++i) {
        text += fmt::format("2013-07-04 00:{:02}:{:02},{}\n", i / 60, i % 60, i);
    }
    test::write(folder.path() / "data.csv", text);
    CsvOptions options = csv(folder);
    options.speed = 1000;  // a row a millisecond
    for (int round = 0; round < 100; ++round) {
        const auto queue = open(folder);
        if (queue->rows() == rows) break;
        std::stop_source stop;
        std::jthread stopper([&] {
            // tidy: allow(banned-call) because the moment of the stop is the point.
            std::this_thread::sleep_for(std::chrono::milliseconds(30));
            stop.request_stop();
        });
        make_csv_source(options, *queue)->run(stop.get_token());
    }
    const auto got = values(*open(folder), "hall");
    ASSERT_EQ(got.size(), static_cast<std::size_t>(rows));
    for (int i = 0; i < rows; ++i) {
        ASSERT_EQ(got[static_cast<std::size_t>(i)]["temperature_f"], i);
    }
}

TEST(csv_source, loop__begins_again__until_stopped) {
    const TempFolder folder;
    test::write(folder.path() / "data.csv", std::string(three_rows));
    const auto queue = open(folder);
    CsvOptions options = csv(folder);
    options.loop = true;
    const auto source = make_csv_source(options, *queue);
    std::jthread runner([&](const std::stop_token& stop) { source->run(stop); });
    EXPECT_TRUE(wait_for(*queue, [&] { return queue->rows() >= 7; }));
}

TEST(csv_source, file_replaced_by_a_shorter_one__begins_again) {
    const TempFolder folder;
    test::write(folder.path() / "data.csv", std::string(three_rows));
    const auto queue = open(folder);
    make_csv_source(csv(folder), *queue)->run({});
    test::write(folder.path() / "data.csv", "2014-07-04 00:00:00,1\n");
    make_csv_source(csv(folder), *queue)->run({});
    EXPECT_EQ(values(*queue, "hall").size(), 4U);
}

// Debian's python3-pymodbus as the foreign server: agent/testdata/modbus_server.py.
class ModbusServer {
public:
    // Port 0: a free one.
    explicit ModbusServer(std::uint16_t port = 0) {
        int ends[2];
        EXPECT_EQ(::pipe(ends), 0);
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
        posix_spawn_file_actions_addclose(&actions, ends[0]);
        std::string program = "python3";
        std::string script = "agent/testdata/modbus_server.py";
        std::string wanted = std::to_string(port);
        char* const words[] = {program.data(), script.data(), wanted.data(), nullptr};
        EXPECT_EQ(::posix_spawnp(&process_, "python3", &actions, nullptr, words, environ), 0);
        posix_spawn_file_actions_destroy(&actions);
        ::close(ends[1]);
        pollfd waiting{ends[0], POLLIN, 0};
        EXPECT_EQ(::poll(&waiting, 1, 20'000), 1) << "the server says no port";
        // "PORT\n", maybe in pieces.
        std::string text;
        for (char c = 0; ::read(ends[0], &c, 1) == 1 && c != '\n';) text += c;
        std::from_chars(text.data(), text.data() + text.size(), port_);
        ::close(ends[0]);
    }
    ModbusServer(const ModbusServer&) = delete;
    ModbusServer& operator=(const ModbusServer&) = delete;
    ~ModbusServer() { kill(); }
    std::uint16_t port() const { return port_; }
    void kill() {
        if (process_ <= 0) return;
        ::kill(process_, SIGKILL);
        ::waitpid(process_, nullptr, 0);
        process_ = -1;
    }

private:
    pid_t process_ = -1;
    std::uint16_t port_ = 0;
};

fieldbus::Register reg(std::string name, std::uint16_t address, fieldbus::Kind kind,
                       fieldbus::Type type, double scale = 1.0,
                       fieldbus::WordOrder order = fieldbus::WordOrder::high_first) {
    return {std::move(name), address, kind, type, scale, order, {}};
}

ModbusOptions modbus(std::uint16_t port) {
    using enum fieldbus::Kind;
    using enum fieldbus::Type;
    ModbusOptions options;
    options.name = "plc";
    options.stream = "plc";
    options.host = "127.0.0.1";
    options.port = port;
    options.period = std::chrono::milliseconds(20);
    // The values are those of modbus_server.py.
    options.registers = {reg("u", 0, holding, u16),
                         reg("temperature_c", 1, holding, i16, 0.1),
                         reg("count", 2, holding, u32),
                         reg("ratio", 4, holding, f32),
                         reg("swapped", 6, holding, i32, 1.0, fieldbus::WordOrder::low_first),
                         reg("far", 20, input, u16),
                         reg("on", 3, coil, bit),
                         reg("off", 4, discrete, bit)};
    return options;
}

TEST(modbus_source, foreign_server__every_kind_and_type_is_read) {
    const TempFolder folder;
    const auto queue = open(folder);
    const ModbusServer server;
    const auto source = make_modbus_source(modbus(server.port()), *queue);
    std::jthread runner([&](const std::stop_token& stop) { source->run(stop); });
    ASSERT_TRUE(wait_for(*queue, [&] { return queue->rows() >= 2; }));
    EXPECT_EQ(values(*queue, "plc").at(0), (nlohmann::json{{"u", 4711},
                                                           {"temperature_c", -12.5},
                                                           {"count", 70000},
                                                           {"ratio", 0.5},
                                                           {"swapped", -2},
                                                           {"far", 99},
                                                           {"on", true},
                                                           {"off", false}}));
}

TEST(modbus_source, server_gone__becomes_a_state__and_ends_when_one_is_back) {
    const TempFolder folder;
    const auto queue = open(folder);
    ModbusServer server;
    const auto source = make_modbus_source(modbus(server.port()), *queue);
    std::jthread runner([&](const std::stop_token& stop) { source->run(stop); });
    ASSERT_TRUE(wait_for(*queue, [&] { return queue->rows() >= 1; }));
    server.kill();
    const auto last_is = [&](const std::string& state) {
        const auto all = values(*queue, "plc");
        return !all.empty() && all.back().value("source_state", "") == state;
    };
    ASSERT_TRUE(wait_for(*queue, [&] { return last_is("unreachable"); }));
    const auto rows = queue->rows();
    // tidy: allow(banned-call) because nothing must happen in this time.
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    EXPECT_EQ(queue->rows(), rows);  // said once, not at every period
    const ModbusServer again(server.port());
    ASSERT_TRUE(wait_for(*queue, [&] { return queue->rows() >= rows + 2; }));
    EXPECT_EQ(values(*queue, "plc").at(rows), (nlohmann::json{{"source_state", "ok"}}));
    EXPECT_EQ(values(*queue, "plc").at(rows + 1)["u"], 4711);
}

TEST(modbus_source, address_that_the_device_does_not_have__is_a_read_error) {
    const TempFolder folder;
    const auto queue = open(folder);
    const ModbusServer server;
    ModbusOptions options = modbus(server.port());
    options.registers = {reg("u", 9000, fieldbus::Kind::holding, fieldbus::Type::u16)};
    const auto source = make_modbus_source(options, *queue);
    std::jthread runner([&](const std::stop_token& stop) { source->run(stop); });
    ASSERT_TRUE(wait_for(*queue, [&] { return queue->rows() >= 1; }));
    EXPECT_EQ(values(*queue, "plc").at(0), (nlohmann::json{{"source_state", "read_error"}}));
}

}  // namespace
}  // namespace quoin::agent
