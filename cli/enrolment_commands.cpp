#include "cli/enrolment_commands.hpp"

#include <CLI/CLI.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cli/client.hpp"
#include "cli/output.hpp"

namespace quoin::cli {
namespace {

struct Options {
    std::string state = "pending";
    bool all = false;
    std::vector<std::uint64_t> numbers;
    std::string reason;
};

Result<void> list(const Context& context, const Options& options) {
    QUOIN_TRY(const Client client, Client::open(context));
    nlohmann::json enrolments = nlohmann::json::array();
    std::string after;
    while (true) {
        QUOIN_TRY(const auto page,
                  client.get(target("enrolments", {{"state", options.all ? "" : options.state},
                                                   {"after", after},
                                                   {"limit", "500"}})));
        for (const auto& one : page.value("enrolments", nlohmann::json::array())) {
            enrolments.push_back(one);
        }
        const auto next = page.value("next", nlohmann::json());
        if (!next.is_number()) break;
        after = next.dump();
    }
    if (context.json) {
        print_json({{"enrolments", enrolments}});
    } else {
        fmt::print("{}", table({{"NUMBER", "enrolment"},
                                {"DEVICE", "device"},
                                {"KIND", "kind"},
                                {"RENEWAL", "renewal"},
                                {"STATE", "state"},
                                {"ASKED", "created_ms"},
                                {"BY", "by"},
                                {"KEY SHA-256", "key_sha256"},
                                {"WHY", "reason"}},
                               enrolments));
    }
    return {};
}

// One after the other; the first that fails ends it, and says which.
Result<void> decide(const Context& context, const Options& options, std::string_view verb,
                    const nlohmann::json& body) {
    QUOIN_TRY(const Client client, Client::open(context));
    nlohmann::json done = nlohmann::json::array();
    for (const std::uint64_t number : options.numbers) {
        QUOIN_TRY(const auto answer,
                  client.post(fmt::format("enrolments/{}/{}", number, verb), body.dump()));
        if (!context.json) {
            fmt::print("{} of {} ({}) is {}\n", number,
                       plain(answer.value("device", nlohmann::json())),
                       plain(answer.value("kind", nlohmann::json())),
                       plain(answer.value("state", nlohmann::json())));
        }
        done.push_back(answer);
    }
    if (context.json) print_json({{"enrolments", done}});
    return {};
}

void add_numbers(CLI::App* command, Options& options) {
    command->add_option("NUMBER", options.numbers, "Of `quoin enrolment list`; several at once")
        ->required();
}

}  // namespace

void add_enrolment_commands(CLI::App& app, Context& context) {
    auto* noun = app.add_subcommand(
        "enrolment", "Requests of devices for certificates: see, approve and refuse them");
    noun->require_subcommand(1);
    noun->footer(
        R"(A request waits where the [ra] table of quoin.toml says "manual"; the device asks again by itself.
Compare the key's SHA-256 with what the device logs (enrol_pending) before you approve.

Examples:
  quoin enrolment list                        what waits?
  quoin enrolment approve 17 18               a device's two keys: session and attestation
  quoin enrolment refuse 19 --reason "unknown board"
  quoin enrolment list --all                  all that was ever asked for)");
    const auto options = std::make_shared<Options>();
    auto* list_command =
        noun->add_subcommand("list", "Requests that wait for you; others by state");
    list_command->add_option("--state", options->state,
                             "Only this state: pending (default), approved, issued, refused");
    list_command->add_flag("--all", options->all, "All states");
    on_run(list_command, context, [&context, options] { return list(context, *options); });

    auto* approve = noun->add_subcommand(
        "approve", "The registration authority signs for it; the device gets its certificate");
    add_numbers(approve, *options);
    on_run(approve, context, [&context, options] {
        return decide(context, *options, "approve", nlohmann::json::object());
    });

    auto* refuse =
        noun->add_subcommand("refuse", "This key gets no certificate; with a new one it may ask");
    add_numbers(refuse, *options);
    refuse->add_option("--reason", options->reason, "Why; the device is told, and it is recorded")
        ->required();
    on_run(refuse, context, [&context, options] {
        return decide(context, *options, "refuse", {{"reason", options->reason}});
    });
}

}  // namespace quoin::cli
