#include "sim/load/subscriber.hpp"

#include <unistd.h>

#include <charconv>
#include <condition_variable>
#include <cstdio>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "host/net/mqtt_client.hpp"
#include "sim/load/latency.hpp"

namespace quoin::sim {
namespace {

using Clock = std::chrono::steady_clock;

// The "ts" of a sample as our publisher writes it. No JSON: what is measured is the broker.
std::optional<std::int64_t> time_of(std::string_view payload) {
    constexpr std::string_view name = "\"ts\":";
    const auto at = payload.find(name);
    if (at == std::string_view::npos) return std::nullopt;
    std::int64_t ts_ms = 0;
    const auto digits = payload.substr(at + name.size());
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), ts_ms);
    return read.ec == std::errc{} ? std::optional(ts_ms) : std::nullopt;
}

// What the threads of the clients report.
struct Board {
    std::mutex mutex;
    std::condition_variable changed;
    std::uint64_t connected = 0;
    std::uint64_t received = 0;
    Clock::time_point first, last;
    Latencies latencies;
    std::optional<Error> error;

    void add_sample(std::string_view payload) {
        const auto ts_ms = time_of(payload);
        const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
            std::chrono::system_clock::now().time_since_epoch());
        const std::scoped_lock lock(mutex);
        last = Clock::now();
        if (received++ == 0) first = last;
        if (ts_ms) latencies.add(static_cast<double>(now.count() - *ts_ms));
        changed.notify_all();
    }
};

net::MqttCallbacks callbacks_for(Board& board) {
    net::MqttCallbacks callbacks;
    callbacks.connected = [&board](bool) {
        const std::scoped_lock lock(board.mutex);
        ++board.connected;
        board.changed.notify_all();
    };
    callbacks.disconnected = [&board](const Error& error) {
        const std::scoped_lock lock(board.mutex);
        board.error = error;
        board.changed.notify_all();
    };
    callbacks.message = [&board](const std::string&, const std::string& payload) {
        board.add_sample(payload);
    };
    return callbacks;
}

template <class Condition>
Result<void> wait_for(Board& board, std::chrono::milliseconds timeout, const char* what,
                      Condition condition) {
    std::unique_lock lock(board.mutex);
    board.changed.wait_for(lock, timeout, [&] { return condition() || board.error; });
    if (board.error) return std::unexpected(*board.error);
    if (condition()) return {};
    return fail(Code::resource_timeout, "{} did not happen within {} ms", what, timeout.count());
}

net::MqttOptions mqtt_options(const Access& access, std::string client_id) {
    net::MqttOptions options;
    options.host = access.host;
    options.port = access.port;
    options.client_id = std::move(client_id);
    options.session_expiry = std::chrono::seconds(0);  // nothing is left over from an earlier round
    return options;
}

void print_line(const nlohmann::json& object) {
    fmt::print("{}\n", object.dump());
    std::fflush(stdout);
}

double seconds(Clock::duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

Result<nlohmann::json> count_samples(const Access& access, const SubscribeOptions& options) {
    QUOIN_TRY(tls::Context context, service_context(access, options.home, "telemetry"));
    Board board;
    QUOIN_TRY(const auto client,
              net::MqttClient::start(
                  mqtt_options(access, "service.telemetry-load"), std::move(context),
                  {fmt::format("quoin/{}/+/telemetry/+", access.site)}, callbacks_for(board)));
    QUOIN_CHECK(
        wait_for(board, options.timeout, "connecting", [&] { return board.connected > 0; }));
    print_line({{"subscribed", true}});
    QUOIN_CHECK(wait_for(board, options.timeout, "receiving every sample",
                         [&] { return board.received >= options.messages; }));
    const std::scoped_lock lock(board.mutex);
    const double taken = seconds(board.last - board.first);
    return nlohmann::json{{"messages", board.received},
                          {"seconds", taken},
                          {"per_second", static_cast<double>(board.received - 1) / taken},
                          {"latency_ms", board.latencies.summary()}};
}

Result<nlohmann::json> hold_connections(const Access& access, const IdleOptions& options) {
    QUOIN_TRY(const tls::Context context, service_context(access, options.home, "telemetry"));
    Board board;
    std::vector<std::unique_ptr<net::MqttClient>> clients;
    const auto start = Clock::now();
    for (std::uint64_t i = 0; i < options.connections; ++i) {
        QUOIN_TRY(auto client, net::MqttClient::start(
                                   mqtt_options(access, fmt::format("service.telemetry-idle{}", i)),
                                   share(context), {}, callbacks_for(board)));
        clients.push_back(std::move(client));
        // One after the other: the broker makes its handshakes one after the other as well.
        QUOIN_CHECK(
            wait_for(board, options.timeout, "connecting", [&] { return board.connected > i; }));
    }
    nlohmann::json result{{"connected", options.connections},
                          {"seconds", seconds(Clock::now() - start)}};
    print_line(result);
    while (std::getchar() != EOF) continue;
    return result;
}

}  // namespace quoin::sim
