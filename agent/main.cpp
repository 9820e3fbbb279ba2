// quoin-agent: the device side on Linux.
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <thread>

#include "agent/agent.hpp"
#include "host/crypto/wipe_freed.hpp"

namespace {

// "2026-11-22T10:00:00.123Z info connected broker=..."
void set_up_log(bool verbose) {
    auto log = spdlog::stderr_logger_mt("agent");
    log->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
    log->set_level(verbose ? spdlog::level::debug : spdlog::level::info);
    log->flush_on(spdlog::level::debug);
    spdlog::set_default_logger(std::move(log));
}

quoin::Result<void> run_until_signal(const quoin::agent::RunOptions& options) {
    sigset_t ending;
    sigemptyset(&ending);
    sigaddset(&ending, SIGINT);
    sigaddset(&ending, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &ending, nullptr);  // before any other thread is there
    std::signal(SIGPIPE, SIG_IGN);
    std::stop_source stop;
    std::jthread signals([&ending, stop]() mutable {
        int received = 0;
        sigwait(&ending, &received);
        stop.request_stop();
    });
    auto result = quoin::agent::run(options, stop.get_token());
    // NOLINTNEXTLINE(bugprone-bad-signal-to-kill-thread,cert-pos44-c): wakes the sigwait above
    pthread_kill(signals.native_handle(), SIGTERM);
    return result;
}

}  // namespace

int main(int argc, char** argv) {
    quoin::crypto::begin_process();
    quoin::agent::RunOptions options;
    bool verbose = false;
    CLI::App app("quoin-agent: enrols, connects, publishes, attests, renews");
    app.add_option("--home", options.home,
                   "the device's folder: agent.toml, birth.crt, unlock.key, trust.crt")
        ->required()
        ->check(CLI::ExistingDirectory);
    app.add_flag("--once-enrol", options.once_enrol, "end after the enrolment");
    app.add_flag("--verbose", verbose, "log debug lines too");
    app.set_version_flag("--version", QUOIN_VERSION);
    CLI11_PARSE(app, argc, argv);
    set_up_log(verbose);
    const auto result = run_until_signal(options);
    if (!result) {
        spdlog::error("failed code={} error=\"{}\"", quoin::code_name(result.error().code),
                      result.error().message);
        return quoin::exit_code(result.error().code);
    }
    spdlog::info("stopped");
    return 0;
}
