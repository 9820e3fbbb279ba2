// quoin-sim-flexim: a simulated FLEXIM machine behind Modbus TCP.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <array>
#include <atomic>
#include <csignal>
#include <cstdio>

#include "host/files/files.hpp"
#include "sim/flexim/server.hpp"

namespace {

std::atomic<bool> stop = false;

struct Options {
    std::string address = "127.0.0.1";
    std::uint16_t port = 1502;
    std::string port_file;
    std::uint64_t seed = 1;
    double speed = 1.0;
};

void say(const quoin::sim::Reading& now) {
    constexpr std::array names{"idle", "running", "fault", "maintenance"};
    fmt::print("flexim-simulator state={} error={} good={} discarded={} temperature_c={:.1f}\n",
               names.at(static_cast<std::size_t>(now.state)), now.error_code, now.parts_good,
               now.parts_discarded, now.temperature_c);
    std::fflush(stdout);
}

quoin::Result<void> run(const Options& options) {
    QUOIN_TRY(const auto server,
              quoin::sim::FleximServer::listen(options.address, options.port,
                                               quoin::sim::Machine(options.seed), options.speed));
    if (!options.port_file.empty()) {
        QUOIN_CHECK(quoin::files::write_atomically(options.port_file,
                                                   std::to_string(server->port()) + "\n", 0644));
    }
    fmt::print("FLEXIM machine SIMULATOR (not a real machine): modbus={}:{} seed={} speed={}\n",
               options.address, server->port(), options.seed, options.speed);
    std::fflush(stdout);
    return server->run(stop, say);
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    CLI::App app("quoin-sim-flexim: a SIMULATED machine that speaks Modbus TCP");
    app.add_option("--address", options.address, "IPv4 address to listen on")
        ->capture_default_str();
    app.add_option("--port", options.port, "port; 0: a free one")->capture_default_str();
    app.add_option("--port-file", options.port_file, "write the port to this file");
    app.add_option("--seed", options.seed, "one seed, one history")->capture_default_str();
    app.add_option("--speed", options.speed, "simulated seconds in a second")
        ->check(CLI::Range(0.01, 10000.0))
        ->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    const auto end = [](int) { stop = true; };
    std::signal(SIGINT, end);
    std::signal(SIGTERM, end);
    std::signal(SIGPIPE, SIG_IGN);
    const auto result = run(options);
    if (result) return 0;
    fmt::print(stderr, "quoin-sim-flexim: {}\n", result.error().message);
    return quoin::exit_code(result.error().code);
}
