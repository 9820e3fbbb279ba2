#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <csignal>
#include <cstdio>

#include "sim/proxy/relay.hpp"

namespace {

std::atomic<bool> stop{false};
static_assert(std::atomic<bool>::is_always_lock_free);  // the handler touches it

void add_fault_options(CLI::App& app, quoin::sim::FaultOptions& faults) {
    const auto chance = CLI::Range(0.0, 1.0);
    app.add_option("--seed", faults.seed, "One seed makes one sequence of faults");
    app.add_option("--latency-ms", faults.latency_ms)->check(CLI::NonNegativeNumber);
    app.add_option("--jitter-ms", faults.jitter_ms)->check(CLI::NonNegativeNumber);
    app.add_option("--loss", faults.loss, "Chance per piece of a retransmission")->check(chance);
    app.add_option("--loss-stall-ms", faults.loss_stall_ms)->check(CLI::NonNegativeNumber);
    app.add_option("--stall", faults.stall, "Chance per piece of a long silence")->check(chance);
    app.add_option("--stall-ms", faults.stall_ms)->check(CLI::NonNegativeNumber);
    app.add_option("--reset", faults.reset, "Chance per piece of a cut connection")->check(chance);
    app.add_option("--bytes-per-second", faults.bytes_per_second)->check(CLI::NonNegativeNumber);
}

}  // namespace

int main(int argc, char** argv) {
    quoin::sim::RelayOptions options;
    CLI::App app("A TCP proxy that makes a bad network on purpose; loopback only",
                 "quoin-sim-proxy");
    app.add_option("--listen", options.listen_port, "Port to listen on (default: a free one)");
    app.add_option("--to", options.upstream_port, "Port to forward to")->required();
    add_fault_options(app, options.faults);
    app.footer(
        "Example:\n  quoin-sim-proxy --to 8883 --latency-ms 30 --jitter-ms 20 --loss 0.02 --seed "
        "7");
    CLI11_PARSE(app, argc, argv);
    for (const int signal : {SIGINT, SIGTERM}) {
        std::signal(signal, [](int) { stop = true; });
    }
    const auto relay = quoin::sim::Relay::listen(options);
    if (!relay) {
        fmt::print(stderr, "quoin-sim-proxy: {}\n", relay.error().message);
        return quoin::exit_code(relay.error().code);
    }
    fmt::print("{{\"port\":{},\"seed\":{}}}\n", (*relay)->port(), options.faults.seed);
    std::fflush(stdout);
    (*relay)->run(stop);
    return 0;
}
