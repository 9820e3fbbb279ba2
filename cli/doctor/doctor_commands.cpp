#include "cli/doctor/doctor_commands.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string_view>

#include "cli/doctor/checks.hpp"
#include "cli/output.hpp"

namespace quoin::cli {
namespace {

std::string_view word(Health health) {
    switch (health) {
        case Health::pass:
            return "PASS";
        case Health::warn:
            return "WARN";
        case Health::fail:
            return "FAIL";
    }
    return "FAIL";
}

Result<void> run(Context& context) {
    Findings findings;
    check_machine(findings);
    check_home(context, findings);
    check_plant(context, findings);
    const auto failed = std::ranges::count(findings, Health::fail, &Finding::health);
    if (context.json) {
        nlohmann::json list = nlohmann::json::array();
        for (const Finding& finding : findings) {
            list.push_back({{"result", word(finding.health)},
                            {"thing", finding.thing},
                            {"detail", finding.detail}});
        }
        print_json({{"failed", failed}, {"findings", list}});
    } else {
        for (const Finding& finding : findings) {
            fmt::print("{}  {}: {}\n", word(finding.health), finding.thing, finding.detail);
        }
    }
    if (failed > 0) context.exit_code = 1;
    return {};
}

}  // namespace

void add_doctor_commands(CLI::App& app, Context& context) {
    auto* command =
        app.add_subcommand("doctor", "Look at machine, home and plant: PASS, WARN or FAIL");
    command->footer(R"(Examples:
  quoin doctor                          this machine and /var/lib/quoin
  quoin doctor --home demo --json
It exits with 0 unless something FAILs.)");
    on_run(command, context, [&context] { return run(context); });
}

}  // namespace quoin::cli
