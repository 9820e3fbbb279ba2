// quoind: the control plane of a plant.
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <CLI/CLI.hpp>

#include <csignal>
#include <cstdlib>
#include <set>
#include <string>
#include <vector>

#include "host/crypto/wipe_freed.hpp"
#include "server/plant_process.hpp"

namespace {

using namespace quoin;

constexpr timespec one_second{.tv_sec = 1, .tv_nsec = 0};

// Blocked before any thread starts, so that only the main loop takes them.
sigset_t block_signals() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
    return set;
}

void set_up_logging() {
    auto logger = spdlog::stderr_logger_mt("quoind");
    logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ quoind %l %v", spdlog::pattern_time_type::utc);
    logger->flush_on(spdlog::level::info);
    spdlog::set_default_logger(std::move(logger));
}

Result<server::ProcessOptions> options_of(const std::string& home,
                                          const std::vector<std::string>& roles) {
    server::ProcessOptions options{.home = std::filesystem::absolute(home)};
    if (roles.empty()) return options;
    const std::set<std::string> wanted(roles.begin(), roles.end());
    for (const std::string_view core : {"pki", "fleet", "api"}) {
        if (!wanted.contains(std::string(core))) {
            return fail(Code::config_invalid,
                        "--roles: pki, fleet and api always run together; {} is missing", core);
        }
    }
    options.telemetry = wanted.contains("telemetry");
    options.verifier = wanted.contains("verifier");
    return options;
}

Result<void> run(const server::ProcessOptions& options, const sigset_t& signals) {
    QUOIN_TRY(const auto process, server::PlantProcess::start(options));
    spdlog::info("up in {}", options.home.string());
    for (;;) {
        if (sigtimedwait(&signals, nullptr, &one_second) > 0) break;
        process->tick();
        if (process->is_outdated()) {
            spdlog::info("the plant has a new root: to be started again with it");
            break;
        }
    }
    spdlog::info("stopping");
    return {};
}

}  // namespace

int main(int argc, char** argv) {
    crypto::begin_process();
    ::umask(077);
    CLI::App app{"quoind: the control plane of a Quoin plant"};
    std::string home = "/var/lib/quoin";
    std::vector<std::string> roles;
    app.add_option("--home", home, "Folder of the plant (made by `quoin pki init`)");
    app.add_option("--roles", roles, "pki,fleet,api[,telemetry][,verifier]; default: all")
        ->delimiter(',')
        ->check(CLI::IsMember({"pki", "fleet", "api", "telemetry", "verifier"}));
    app.set_version_flag("--version", "quoind 0.1.0");
    CLI11_PARSE(app, argc, argv);

    const sigset_t signals = block_signals();
    set_up_logging();
    auto options = options_of(home, roles);
    const Result<void> ended = options ? run(*options, signals) : std::unexpected(options.error());
    if (ended) return EXIT_SUCCESS;
    spdlog::critical("{}", ended.error().message);
    spdlog::shutdown();
    return exit_code(ended.error().code);
}
