#include "cli/status_commands.hpp"

#include <CLI/CLI.hpp>

#include "cli/client.hpp"
#include "cli/output.hpp"

namespace quoin::cli {

void add_status_commands(CLI::App& app, Context& context) {
    auto* command =
        app.add_subcommand("status", "The plant in a few lines: devices by state, samples, broker");
    command->footer("Example:\n  quoin status --home /var/lib/quoin --json");
    on_run(command, context, [&context]() -> Result<void> {
        QUOIN_TRY(const Client client, Client::open(context));
        QUOIN_TRY(const auto answer, client.get("status"));
        if (context.json) {
            print_json(answer);
        } else {
            fmt::print("{}", sheet(answer));
        }
        return {};
    });
}

}  // namespace quoin::cli
