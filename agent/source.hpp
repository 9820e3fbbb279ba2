// What feeds the queue: one interface for all kinds of machine data.
//
// A source blocks on its own thread until it is told to stop, and never gives up: a device that
// does not answer becomes a value ("source_state"), not an end. What it stores and how far it is go
// into the queue in one transaction. Threads: one a source; the queue is shared.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/queue.hpp"
#include "host/error.hpp"
#include "host/fieldbus/registers.hpp"

namespace quoin::agent {

class Source {
public:
    virtual ~Source() = default;
    virtual const std::string& name() const = 0;
    // Returns when `stop` is requested, or when there is nothing more to come (a file was
    // replayed).
    virtual void run(const std::stop_token& stop) = 0;
};

// Replays a "timestamp,value" file: csv.hpp.
struct CsvOptions {
    std::string name;  // of its cursor
    std::string stream;
    std::filesystem::path file;
    std::string value;   // name of the value
    double speed = 1.0;  // seconds of the file in a second
    bool fahrenheit_to_celsius = false;
    bool loop = false;
    bool file_time = false;  // stamps samples with the file's time; otherwise with the present time
};
std::unique_ptr<Source> make_csv_source(CsvOptions options, Queue& queue);

// Polls a Modbus TCP server.
struct ModbusOptions {
    std::string name;
    std::string stream;
    std::string host;
    std::uint16_t port = 502;
    int unit = 1;
    std::chrono::milliseconds period{1000};
    std::chrono::milliseconds timeout{1000};
    std::vector<fieldbus::Register> registers;
};
std::unique_ptr<Source> make_modbus_source(ModbusOptions options, Queue& queue);

// False when `stop` came first.
bool wait_until(const std::stop_token& stop, std::chrono::steady_clock::time_point when);
std::int64_t now_ms();
// Stores under the queue's policy: waits while it is full, tries again (and says so) while the disk
// fails. False when `stop` came first: nothing was stored.
bool store(Queue& queue, const std::vector<Sample>& samples, const std::optional<Cursor>& cursor,
           const std::string& source, const std::stop_token& stop);

}  // namespace quoin::agent
