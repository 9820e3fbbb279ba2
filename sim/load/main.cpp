#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "sim/load/publisher.hpp"
#include "sim/load/subscriber.hpp"

namespace quoin::sim {
namespace {

using Clock = std::chrono::steady_clock;

Result<nlohmann::json> publish(const Access& access, const PublishOptions& options,
                               const std::vector<std::string>& devices,
                               std::chrono::milliseconds timeout) {
    std::vector<std::unique_ptr<Publisher>> publishers;
    for (const std::string& folder : devices) {
        QUOIN_TRY(const std::string id, device_id(folder));
        QUOIN_TRY(tls::Context context, device_context(access, folder));
        QUOIN_TRY(auto publisher, Publisher::connect(access, options, id, std::move(context)));
        publishers.push_back(std::move(publisher));
    }
    for (const auto& publisher : publishers) QUOIN_CHECK(publisher->wait_connected(timeout));
    const auto start = Clock::now();
    for (const auto& publisher : publishers) publisher->start();
    for (const auto& publisher : publishers) QUOIN_CHECK(publisher->wait_done(timeout));
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    Latencies latencies;
    for (const auto& publisher : publishers) latencies.add(publisher->latencies());
    return nlohmann::json{{"devices", devices.size()},
                          {"messages", latencies.count()},
                          {"seconds", seconds},
                          {"per_second", static_cast<double>(latencies.count()) / seconds},
                          {options.until_stored ? "stored_ms" : "puback_ms", latencies.summary()}};
}

struct Arguments {
    Access access;
    PublishOptions publish;
    SubscribeOptions subscribe;
    IdleOptions idle;
    std::vector<std::string> devices;
    std::string until = "puback";
    std::uint64_t timeout_s = 120;
    Result<nlohmann::json> answer = nlohmann::json();

    std::chrono::milliseconds timeout() const { return std::chrono::seconds(timeout_s); }
};

void add_publish(CLI::App& app, Arguments& arguments) {
    auto* command = app.add_subcommand("publish", "Devices publish numbered samples, QoS 1");
    command->add_option("DEVICES", arguments.devices, "Folders of enrolled devices")->required();
    command->add_option("--stream", arguments.publish.stream);
    command->add_option("--first", arguments.publish.first, "The first sequence")
        ->check(CLI::PositiveNumber);
    command->add_option("--messages", arguments.publish.messages, "By each device")
        ->check(CLI::PositiveNumber);
    command->add_option("--window", arguments.publish.window, "In flight, by each device")
        ->check(CLI::Range(1, 1000));
    command->add_option("--until", arguments.until, "puback or stored")
        ->check(CLI::IsMember({"puback", "stored"}));
    command->callback([&arguments] {
        arguments.publish.until_stored = arguments.until == "stored";
        arguments.answer =
            publish(arguments.access, arguments.publish, arguments.devices, arguments.timeout());
    });
}

void add_service_commands(CLI::App& app, Arguments& arguments) {
    auto* subscribe = app.add_subcommand("subscribe", "Count samples as a bare subscriber");
    subscribe->add_option("HOME", arguments.subscribe.home, "The plant's folder")->required();
    subscribe->add_option("--messages", arguments.subscribe.messages)
        ->check(CLI::Range(2, 1 << 30));
    subscribe->callback([&arguments] {
        arguments.subscribe.timeout = arguments.timeout();
        arguments.answer = count_samples(arguments.access, arguments.subscribe);
    });
    auto* idle = app.add_subcommand("idle", "Hold connections until stdin ends");
    idle->add_option("HOME", arguments.idle.home, "The plant's folder")->required();
    idle->add_option("--connections", arguments.idle.connections)->check(CLI::PositiveNumber);
    idle->callback([&arguments] {
        arguments.idle.timeout = arguments.timeout();
        arguments.answer = hold_connections(arguments.access, arguments.idle);
    });
}

int run(int argc, char** argv) {
    Arguments arguments;
    CLI::App app("MQTT load over PQ/TLS; answers in JSON", "quoin-sim-load");
    app.require_subcommand(1);
    app.fallthrough();
    app.add_option("--host", arguments.access.host);
    app.add_option("--port", arguments.access.port);
    app.add_option("--site", arguments.access.site);
    app.add_option("--suite", arguments.access.suite)->check(CLI::IsMember({"hybrid", "pure"}));
    app.add_option("--timeout-s", arguments.timeout_s)->check(CLI::PositiveNumber);
    add_publish(app, arguments);
    add_service_commands(app, arguments);
    CLI11_PARSE(app, argc, argv);
    if (!arguments.answer) {
        fmt::print(stderr, "quoin-sim-load: {}\n", arguments.answer.error().message);
        return exit_code(arguments.answer.error().code);
    }
    fmt::print("{}\n", arguments.answer->dump());
    return 0;
}

}  // namespace
}  // namespace quoin::sim

int main(int argc, char** argv) { return quoin::sim::run(argc, argv); }
