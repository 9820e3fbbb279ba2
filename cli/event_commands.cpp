#include "cli/event_commands.hpp"

#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "cli/client.hpp"
#include "cli/output.hpp"

namespace quoin::cli {
namespace {

struct Options {
    bool follow = false;
    std::uint64_t after = 0;
    std::uint64_t limit = 100;
};

void print_event(const Context& context, const nlohmann::json& event) {
    if (context.json) {
        fmt::print("{}\n", event.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    } else {
        fmt::print("{}\n", event_line(event));
    }
    std::fflush(stdout);
}

Result<void> run(const Context& context, const Options& options) {
    QUOIN_TRY(const Client client, Client::open(context));
    const std::string after = options.after == 0 ? "" : std::to_string(options.after);
    if (options.follow) {
        return client.follow(target("events/follow", {{"after", after}}),
                             [&](const nlohmann::json& event) {
                                 print_event(context, event);
                                 return std::ferror(stdout) == 0;
                             });
    }
    QUOIN_TRY(
        const auto answer,
        client.get(target("events", {{"after", after}, {"limit", std::to_string(options.limit)}})));
    if (context.json) {
        print_json(answer);
        return {};
    }
    for (const auto& event : answer.value("events", nlohmann::json::array())) {
        print_event(context, event);
    }
    return {};
}

}  // namespace

void add_event_commands(CLI::App& app, Context& context) {
    auto* noun = app.add_subcommand("events", "Security events of the plant's audit log");
    noun->footer(R"(Examples:
  quoin events                       the newest 100
  quoin events --follow              live, until Ctrl-C
  quoin events --follow --json       one JSON object a line
The log itself can be checked offline: see `quoin audit --help`.)");
    const auto options = std::make_shared<Options>();
    noun->add_flag("-f,--follow", options->follow, "Go on with each new event");
    noun->add_option("--after", options->after, "Only events behind this sequence number");
    noun->add_option("--limit", options->limit, "At most so many (default 100)")
        ->check(CLI::PositiveNumber);
    on_run(noun, context, [&context, options] { return run(context, *options); });
}

}  // namespace quoin::cli
