#include "cli/revocation_commands.hpp"

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "cli/client.hpp"
#include "cli/output.hpp"

namespace quoin::cli {
namespace {

struct Options {
    std::string name, reason, serial;
};

Result<void> revoke(const Context& context, const std::string& path, const Options& options) {
    QUOIN_TRY(const Client client, Client::open(context));
    nlohmann::json body{{"reason", options.reason}};
    if (!options.serial.empty()) body["serial"] = options.serial;
    QUOIN_TRY(const auto answer,
              client.post(target(path + "/" + options.name + "/revoke", {}), body.dump()));
    if (context.json) {
        print_json(answer);
    } else {
        fmt::print("{}", sheet(answer));
    }
    return {};
}

void add(CLI::App* pki, Context& context, const std::string& kind, const std::string& path,
         const std::string& meaning, const std::string& example) {
    auto options = std::make_shared<Options>();
    auto* command = pki->add_subcommand("revoke-" + kind, meaning);
    command->add_option("NAME", options->name, "Whose")->required();
    command
        ->add_option("--reason", options->reason,
                     "unspecified, key_compromise, superseded, cessation_of_operation, …")
        ->required();
    command->add_option("--serial", options->serial, "This one only; default: all of the name");
    command->footer("Example:\n  " + example);
    on_run(command, context, [&context, options, path] { return revoke(context, path, *options); });
}

}  // namespace

void add_revocation_commands(CLI::App* pki, Context& context) {
    add(pki, context, "service", "services",
        "End the certificates of a service at once: everybody refuses it",
        "quoin pki revoke-service broker --reason key_compromise");
    add(pki, context, "operator", "operators", "End the certificates of a person at once",
        "quoin pki revoke-operator anna --reason cessation_of_operation");
}

}  // namespace quoin::cli
