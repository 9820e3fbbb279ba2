#include "cli/plant/up_commands.hpp"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>

#include "cli/output.hpp"
#include "cli/plant/background.hpp"
#include "cli/plant/interrupt.hpp"
#include "cli/plant/plant.hpp"
#include "cli/profile_option.hpp"
#include "cli/supervise/account.hpp"
#include "cli/supervise/lifetime.hpp"
#include "cli/supervise/programs.hpp"
#include "host/integrity/integrity.hpp"
#include "server/config/settings.hpp"

namespace quoin::cli {
namespace fs = std::filesystem;
namespace {

constexpr int down_within_ms = 30'000;

struct Options {
    PlantRequest request;
    ProfileOption profile;
    std::string ports;
    bool foreground = false;
};

void say_line(const std::string& line) {
    fmt::print("{}\n", line);
    std::fflush(stdout);
}

void report(const Context& context, const Plant& plant) {
    const Ports& ports = plant.prepared().ports;
    if (context.json) {
        print_json({{"home", plant.home().string()},
                    {"mqtt", ports.mqtt},
                    {"https", ports.https},
                    {"http", ports.http}});
        return;
    }
    fmt::print("the plant is up: MQTT {}, REST and EST {}, health {}\n", ports.mqtt, ports.https,
               ports.http);
    fmt::print("  quoin status --home {0}\n  quoin down --home {0}\n", plant.home().string());
    std::fflush(stdout);
}

// The whole life of the supervisor process.
Result<void> supervise(const Context& context, const Options& options, const Programs& programs,
                       const Detach& detach) {
    catch_interrupts();
    const Say say = context.json ? Say([](const std::string&) {}) : Say(say_line);
    QUOIN_TRY(const auto plant, Plant::start(options.request, programs, say));
    report(context, *plant);
    if (detach) QUOIN_CHECK(detach(plant->home() / "log/up.log"));
    wait_for_interrupt();
    return {};
}

// In approved mode what is about to be run is what was signed: the very descriptors.
Result<void> check_integrity(const std::filesystem::path& home, const Programs& programs) {
    std::error_code failure;
    if (std::filesystem::exists(home / "quoin.toml", failure)) {
        QUOIN_CHECK(server::load_settings(home));  // which enters the mode
    }
    std::vector<std::filesystem::path> files = server::configuration_files(home);
    for (const Descriptor* const file : {&programs.quoind, &programs.agent, &programs.plugin}) {
        files.emplace_back(descriptor_path(*file));
    }
    return integrity::check_start(home, files);
}

Result<void> up(Context& context, Options options) {
    options.request.home = context.home;
    options.request.suite = context.suite;
    options.request.free_ports = options.ports == "free";
    const bool by_suite = options.profile.danger_allow_classical && !context.suite.empty();
    if (by_suite || !options.profile.name.empty()) {
        QUOIN_TRY(options.request.profile, chosen_profile(context, options.profile));
    }
    QUOIN_TRY(const Programs programs, Programs::open(false));
    QUOIN_CHECK(programs.share_provider());
    QUOIN_TRY(const Account account, plant_account());
    QUOIN_CHECK(prepare_home(account, context.home));
    QUOIN_CHECK(check_integrity(context.home, programs));
    if (options.foreground) {
        QUOIN_CHECK(become(account));
        return supervise(context, options, programs, nullptr);
    }
    QUOIN_TRY(const int code, run_in_background([&](const Detach& detach) {
                  Result<void> result = become(account);
                  if (result) result = supervise(context, options, programs, detach);
                  conclude(context, result);
                  return context.exit_code;
              }));
    context.exit_code = code;
    return {};
}

Result<void> down(const Context& context) {
    const fs::path home = context.home;
    QUOIN_TRY(const auto supervisor, Lifetime::load(home / "run/up.json"));
    bool ended = false;
    if (supervisor) {
        QUOIN_TRY(ended, supervisor->end(down_within_ms));
    }
    if (context.json) {
        print_json({{"ended", ended}});
    } else {
        fmt::print("{}\n", ended ? "the plant is down" : "no plant runs in " + home.string());
    }
    return {};
}

}  // namespace

void add_up_commands(CLI::App& app, Context& context) {
    auto* up_command =
        app.add_subcommand("up", "Start a plant in --home; makes its PKI if there is none");
    const auto options = std::make_shared<Options>();
    up_command->add_option("--site", options->request.site, "Name of a new plant (default: plant)");
    add_profile_option(up_command, options->profile);
    up_command->add_option("--database", options->request.database_url,
                           "postgresql://user:password@host/name; default: SQLite in the home");
    up_command
        ->add_option("--ports", options->ports, "free: let quoin choose, see HOME/run/ports.json")
        ->check(CLI::IsMember({"free"}));
    up_command->add_option(
        "--broker-listen", options->request.broker_listen,
        "The broker's port when [broker] port of quoin.toml, which devices are told, is another "
        "(behind NAT or a proxy)");
    up_command->add_flag("--foreground", options->foreground, "Stay; Ctrl-C ends the plant");
    up_command->footer(R"(Examples:
  quoin up --home plant --ports free         in the background; `quoin down --home plant` ends it
  quoin up --home plant --suite pure --foreground
  quoin up --home plant --profile hybrid-44
  quoin up --database postgresql://quoin:secret@localhost/quoin

Ports: 8883 (MQTT), 8443 (REST, EST) and 8080 (health, CRL), on 127.0.0.1, unless quoin.toml says
otherwise.
Started as root, everything runs as the user `quoin`.)");
    on_run(up_command, context, [&context, options] { return up(context, *options); });

    auto* down_command =
        app.add_subcommand("down", "End the plant that `quoin up` started in --home");
    down_command->footer("Example:\n  quoin down --home plant");
    on_run(down_command, context, [&context] { return down(context); });
}

}  // namespace quoin::cli
