#include "cli/device_commands.hpp"

#include <CLI/CLI.hpp>
#include <cstdint>
#include <memory>
#include <string>

#include "cli/client.hpp"
#include "cli/output.hpp"
#include "cli/revoke_command.hpp"
#include "host/files/files.hpp"

namespace quoin::cli {
namespace {

struct Options {
    std::string id, file, state;
    bool readmit = false;
};

Result<void> show_answer(const Context& context, const nlohmann::json& answer) {
    if (context.json) {
        print_json(answer);
    } else {
        fmt::print("{}", sheet(answer));
    }
    return {};
}

Result<void> list(const Context& context, const Options& options) {
    QUOIN_TRY(const Client client, Client::open(context));
    nlohmann::json devices = nlohmann::json::array();
    std::string after;
    while (true) {
        QUOIN_TRY(const auto page,
                  client.get(target(
                      "devices", {{"state", options.state}, {"after", after}, {"limit", "500"}})));
        for (const auto& device : page.value("devices", nlohmann::json::array())) {
            devices.push_back(device);
        }
        const auto next = page.value("next", nlohmann::json());
        if (!next.is_string()) break;
        after = next.get<std::string>();
    }
    if (context.json) {
        print_json({{"devices", devices}});
    } else {
        fmt::print("{}", table({{"DEVICE", "device"},
                                {"CLASS", "class"},
                                {"STATE", "state"},
                                {"VERDICT", "verdict"},
                                {"LEVEL", "verdict_level"},
                                {"RELEASE", "release"},
                                {"WHY", "reason"}},
                               devices));
    }
    return {};
}

Result<void> import(const Context& context, const Options& options) {
    QUOIN_TRY(const std::string batch, files::read(options.file));
    QUOIN_TRY(const Client client, Client::open(context));
    const Parameters parameters{{"readmit", options.readmit ? "true" : ""}};
    QUOIN_TRY(const auto answer,
              client.post(target("devices/import", parameters), batch, "application/x-ndjson"));
    if (context.json) {
        print_json(answer);
        return {};
    }
    fmt::print("{} devices of {} are on the inventory{}\n",
               plain(answer.value("added", nlohmann::json())), options.file,
               options.readmit ? fmt::format(", {} revoked ones may onboard again",
                                             plain(answer.value("readmitted", nlohmann::json())))
                               : "");
    return {};
}

Result<void> act(const Context& context, const Options& options, const std::string& verb,
                 const nlohmann::json& body) {
    QUOIN_TRY(const Client client, Client::open(context));
    QUOIN_TRY(const auto answer,
              client.post(target("devices/" + options.id + "/" + verb, {}), body.dump()));
    return show_answer(context, answer);
}

void add_readers(CLI::App& noun, Context& context, const std::shared_ptr<Options>& options) {
    auto* list_command = noun.add_subcommand("list", "All devices: class, state, verdict");
    list_command->add_option(
        "--state", options->state,
        "Only this state: expected, onboarding, active, degraded, quarantined, "
        "revoked, transferred, retired");
    on_run(list_command, context, [&context, options] { return list(context, *options); });

    auto* show = noun.add_subcommand("show", "One device: certificates, last verdict, streams");
    show->add_option("ID", options->id, "The device's id")->required();
    on_run(show, context, [&context, options]() -> Result<void> {
        QUOIN_TRY(const Client client, Client::open(context));
        QUOIN_TRY(const auto answer, client.get("devices/" + options->id));
        return show_answer(context, answer);
    });
}

void add_writers(CLI::App& noun, Context& context, const std::shared_ptr<Options>& options) {
    auto* import_command = noun.add_subcommand(
        "import", "Put a manufacturer's batch on the inventory, all or nothing");
    import_command
        ->add_option(
            "FILE", options->file,
            "JSON lines {\"silicon_id\",\"class\",\"birth_cert_sha256\"}, as `quoin birth` "
            "writes them")
        ->required()
        ->check(CLI::ExistingFile);
    import_command->add_flag("--readmit", options->readmit,
                             "Take in revoked devices, too, that have a new birth certificate");
    on_run(import_command, context, [&context, options] { return import(context, *options); });

    auto* release = noun.add_subcommand(
        "release", "Let a quarantined device be attested again; it is isolated until that passes");
    release->add_option("ID", options->id, "The device's id")->required();
    on_run(release, context, [&context, options] {
        return act(context, *options, "release", nlohmann::json::object());
    });

    add_revoke_command(noun, context);
}

}  // namespace

void add_device_commands(CLI::App& app, Context& context) {
    auto* noun =
        app.add_subcommand("device", "The inventory: see, import, release and revoke devices");
    noun->require_subcommand(1);
    noun->footer(R"(Examples:
  quoin device import maker/batch.jsonl       put a batch on the inventory
  quoin device list --state quarantined       who is isolated?
  quoin device show mpu-1                     ... and why?
  quoin device release mpu-1                  repaired: let it be attested again
  quoin device revoke mpu-1 --reason key_compromise --note "stolen from the van"
  quoin device revoke --batch list --reason superseded --dry-run    what would end?
  quoin device import --readmit new.jsonl     repaired, with a new birth certificate)");
    const auto options = std::make_shared<Options>();
    add_readers(*noun, context, options);
    add_writers(*noun, context, options);
}

}  // namespace quoin::cli
