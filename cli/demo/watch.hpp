// The plant's audit events as they come: printed for people, kept for acts that wait for them.
//
// Threads: one of its own asks every 30 ms; the methods may be called from any.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "cli/client.hpp"

namespace quoin::cli {

// UTC, as the events carry.
std::int64_t now_ms();

struct Seen {
    std::uint64_t number = 0;
    std::int64_t time_ms = 0;
    std::string id, subject;
    nlohmann::json detail;
};

class Watch {
public:
    using Condition = std::function<bool(const Seen&)>;

    // `show` gets every event, on the watch's thread.
    Watch(Client client, std::function<void(const Seen&)> show);
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;
    ~Watch();

    // The first event at or after `from_ms` that fits. resource_timeout names `what`.
    Result<Seen> wait(const std::string& what, std::int64_t from_ms, const Condition& condition,
                      std::chrono::milliseconds timeout) const;

private:
    void run();
    void take(const nlohmann::json& event);

    Client client_;
    std::function<void(const Seen&)> show_;
    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    std::vector<Seen> seen_;
    std::uint64_t last_ = 0;
    bool ending_ = false;
    std::thread thread_;
};

}  // namespace quoin::cli
