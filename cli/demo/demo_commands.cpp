#include "cli/demo/demo_commands.hpp"

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>

#include "cli/demo/acts.hpp"
#include "cli/demo/elements.hpp"
#include "cli/output.hpp"
#include "cli/plant/interrupt.hpp"
#include "cli/supervise/account.hpp"

namespace quoin::cli {
namespace fs = std::filesystem;
namespace {

// Quick enough to watch; a plant asks every 30 s unless told otherwise.
constexpr const char* demo_overlay =
    "# written by `quoin demo`\n[verifier]\nperiod_s = 2\ntimeout_s = 5\nlifetime_s = 20\n"
    "minimum_level = \"tpm-quoted\"\n";

struct Options {
    bool once = false;
    bool home_given = false;
    std::string data;
};

struct Act {
    const char* title;
    Result<void> (*play)(Stage&);
};

constexpr Act acts[] = {{"Act 1: three devices enrol, connect, publish, are attested", act_running},
                        {"Act 2: an attacker alters a program on mpu-2", act_attack},
                        {"Act 3: repaired and released", act_release}};

Result<void> refuse_used_home(const fs::path& home) {
    std::error_code failure;
    if (!fs::exists(home, failure) || fs::is_empty(home, failure)) return {};
    return fail(Code::input_conflict,
                "--home {}: is not empty; a demo makes a new plant, so give it a new folder",
                home.string());
}

Result<fs::path> temporary_home() {
    std::string name = "/tmp/quoin-demo-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) {
        return fail(Code::resource_unavailable,
                    "cannot make a folder in /tmp: {}; give one with --home", std::strerror(errno));
    }
    return fs::path(name);
}

struct Opening {
    fs::path home;
    Programs programs;
    DemoData data;
    std::uint16_t flexim_port = 0;
    std::vector<DemoDevice> devices;
    std::unique_ptr<Elements> elements;
};

Result<std::uint16_t> free_port() {
    QUOIN_TRY(const Ports ports, Ports::find_free());
    return ports.http;
}

std::vector<std::string> with_elements(const std::vector<DemoDevice>& devices) {
    std::vector<std::string> names;
    for (const DemoDevice& device : devices) {
        if (device.device_class == "mpu") names.push_back(device.id);
    }
    return names;
}

// What needs the rights we were started with; they are gone afterwards.
Result<Opening> open_all(const Context& context, const Options& options) {
    Opening opening;
    QUOIN_TRY(opening.programs, Programs::open(true));
    QUOIN_CHECK(opening.programs.share_provider());
    opening.data = find_data(options.data);
    QUOIN_TRY(opening.flexim_port, free_port());
    opening.devices = demo_devices(opening.flexim_port, opening.data);
    QUOIN_TRY(const Account account, plant_account());
    QUOIN_TRY(const Account elements, element_account(account));
    if (options.home_given) {
        QUOIN_CHECK(refuse_used_home(context.home));
        opening.home = context.home;
    } else {
        QUOIN_TRY(opening.home, temporary_home());
    }
    QUOIN_CHECK(prepare_home(account, opening.home));
    QUOIN_TRY(opening.elements, Elements::start(opening.programs, elements, account,
                                                with_elements(opening.devices), opening.home));
    QUOIN_CHECK(become(account));
    return opening;
}

Result<void> play(Stage& stage) {
    for (const Act& act : acts) {
        stage.narrator.act(act.title);
        if (auto played = act.play(stage); !played) {
            return fail(played.error().code, "{} failed: {}; logs: {}", act.title,
                        played.error().message, (stage.home / "log").string());
        }
    }
    return {};
}

void say_how_to_look(const Opening& opening) {
    fmt::print(
        "\nThe plant goes on; Ctrl-C ends everything it started. Meanwhile, in another terminal:\n"
        "  quoin device list --home {0}\n  quoin telemetry tail --home {0}\n"
        "  quoin events --follow --home {0}\n\n",
        opening.home.string());
    std::fflush(stdout);
}

Result<void> run_plant(const Context& context, const Options& options, Opening& opening,
                       nlohmann::json& times) {
    catch_interrupts();
    const std::int64_t start_ms = now_ms();
    Narrator narrator(start_ms, context.json);
    narrator.act("A plant in " + opening.home.string());
    const Say say = [&narrator](const std::string& line) { narrator.say("plant", line); };
    const std::vector<DemoDevice>& devices = opening.devices;
    // They end after the plant, and say nothing when the narrator is gone.
    const std::unique_ptr<Elements> elements = std::move(opening.elements);
    elements->listen(say);
    const PlantRequest request{.home = opening.home,
                               .site = "demo",
                               .suite = context.suite,
                               .free_ports = true,
                               .overlay = demo_overlay};
    QUOIN_TRY(const auto plant, Plant::start(request, opening.programs, say,
                                             [&] { return make_devices(opening.home, devices); }));
    const Ports& ports = plant->prepared().ports;
    say(fmt::format("broker on {}, quoind on {} (REST, EST) and {} (health)", ports.mqtt,
                    ports.https, ports.http));
    times["ready_ms"] = now_ms() - start_ms;
    QUOIN_TRY(const Client client, plant->client());
    QUOIN_CHECK(configure_devices(*plant, devices, opening.data, *elements));
    QUOIN_CHECK(elements->wait_until_usable());
    QUOIN_CHECK(register_devices(*plant, client, opening.programs, devices, *elements));
    for (const DemoDevice& device : devices)
        narrator.say(device.id, "born and imported: " + device.label);
    for (const std::string& id : elements->devices()) narrator.say(id, elements->facts());
    QUOIN_TRY(Client watching, plant->client());
    const Watch watch(std::move(watching), [&](const Seen& seen) { narrator.show(seen); });
    QUOIN_CHECK(start_devices(*plant, opening.programs, devices, opening.flexim_port));
    Stage stage{client, watch, narrator, devices, opening.home, times};
    auto played = play(stage);
    times["running_ms"] = now_ms() - start_ms;
    if (options.once || interrupted() || context.json) return played;
    if (!played) narrator.say("demo", played.error().message);
    say_how_to_look(opening);
    wait_for_interrupt();
    return played;
}

Result<void> run(const Context& context, const Options& options) {
    QUOIN_TRY(Opening opening, open_all(context, options));
    nlohmann::json times = nlohmann::json::object();
    auto ran = run_plant(context, options, opening, times);
    const bool remove = ran && !options.home_given;
    if (remove) {
        std::error_code it_is_in_tmp;
        fs::remove_all(opening.home, it_is_in_tmp);
    }
    if (!ran) return ran;
    times["home"] = opening.home.string();
    if (context.json) {
        print_json(times);
    } else {
        fmt::print("\nEvery act was observed. {}\n",
                   remove ? "The folder is removed; keep one with --home." : opening.home.string());
    }
    return {};
}

}  // namespace

void add_demo_commands(CLI::App& app, Context& context) {
    auto* command =
        app.add_subcommand("demo", "A whole plant, an attack on it, and its recovery, live");
    const auto options = std::make_shared<Options>();
    command->add_flag("--once", options->once,
                      "Play the acts and end: 0 only if each was observed");
    command
        ->add_option("--data", options->data,
                     "Folder of sensor files (default: shared/data, when found)")
        ->check(CLI::ExistingDirectory);
    command->footer(R"(Examples:
  quoin demo                     watch; Ctrl-C ends it
  quoin demo --once              for scripts: exit code 0 when all went as it must
  quoin demo --suite pure --home /tmp/plant

One MCU-class device (simulated: a Linux process) and two MPU-class ones, of which one reads a
simulated FLEXIM machine. The keys of MPUs are in quoin-se, sealed by a software TPM (swtpm) in
place of a chip, with a simulated measured boot. Started as root, the plant runs as the user
quoin, quoin-se and swtpm as quoin-se. Everything listens on 127.0.0.1, on free ports.)");
    on_run(command, context, [&app, &context, options] {
        options->home_given = app.count("--home") > 0;
        return run(context, *options);
    });
}

}  // namespace quoin::cli
