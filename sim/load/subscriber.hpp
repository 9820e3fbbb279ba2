// The bare subscriber, and connections that do nothing.
#pragma once

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "sim/load/credentials.hpp"

namespace quoin::sim {

struct SubscribeOptions {
    std::filesystem::path home;
    std::uint64_t messages = 1000;
    std::chrono::milliseconds timeout{60000};
};

// Prints {"subscribed":true} when it is ready, counts samples from the first to the last one.
// {"messages","seconds","per_second","latency_ms"}: latency from the sample's `ts`.
Result<nlohmann::json> count_samples(const Access& access, const SubscribeOptions& options);

struct IdleOptions {
    std::filesystem::path home;
    std::uint64_t connections = 1000;
    std::chrono::milliseconds timeout{120000};
};

// Opens the connections, prints {"connected":N,"seconds":S}, and holds them until stdin ends.
Result<nlohmann::json> hold_connections(const Access& access, const IdleOptions& options);

}  // namespace quoin::sim
