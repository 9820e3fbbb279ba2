#include "cli/telemetry_commands.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "cli/client.hpp"
#include "cli/output.hpp"
#include "cli/text_file.hpp"

namespace quoin::cli {
namespace {

struct Options {
    std::string device, stream, csv;
    std::uint64_t after_seq = 0;
    std::int64_t from_ms = 0;
    std::int64_t to_ms = 0;
    std::uint64_t limit = 100;
    bool last = false;
};

std::string number(auto value) { return value == 0 ? std::string() : std::to_string(value); }

Parameters parameters(const Options& options) {
    return {{"device", options.device},
            {"stream", options.stream},
            {"after_seq", number(options.after_seq)},
            {"from_ms", number(options.from_ms)},
            {"to_ms", number(options.to_ms)}};
}

void print_sample(const Context& context, const nlohmann::json& sample) {
    if (context.json) {
        fmt::print("{}\n", sample.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    } else {
        const auto field = [&](const char* name) {
            return plain(sample.value(name, nlohmann::json()));
        };
        fmt::print("{} {}/{} #{}{} {}\n", utc(sample.value("ts_ms", std::int64_t{0})),
                   field("device"), field("stream"), field("seq"),
                   sample.value("suspect", false) ? " SUSPECT" : "", field("values"));
    }
    std::fflush(stdout);
}

Result<void> tail(const Context& context, const Options& options) {
    QUOIN_TRY(const Client client, Client::open(context));
    return client.follow(
        target("telemetry/follow", {{"device", options.device}, {"stream", options.stream}}),
        [&](const nlohmann::json& sample) {
            print_sample(context, sample);
            return std::ferror(stdout) == 0;
        });
}

Result<void> query(const Context& context, const Options& options) {
    QUOIN_TRY(const Client client, Client::open(context));
    Parameters wanted = parameters(options);
    wanted.emplace_back("limit", std::to_string(options.limit));
    wanted.emplace_back("last", options.last ? "true" : "");
    QUOIN_TRY(const auto answer, client.get(target("telemetry", wanted)));
    if (context.json) {
        print_json(answer);
        return {};
    }
    for (const auto& sample : answer.value("samples", nlohmann::json::array())) {
        print_sample(context, sample);
    }
    return {};
}

Result<void> export_csv(const Context& context, const Options& options) {
    QUOIN_TRY(const Client client, Client::open(context));
    QUOIN_TRY(TextFile out, TextFile::create(options.csv));
    Progress progress(context, "exported lines", 0);
    std::uint64_t lines = 0;
    QUOIN_CHECK(
        client.stream(target("telemetry/export", parameters(options)), [&](std::string_view piece) {
            lines += static_cast<std::uint64_t>(std::ranges::count(piece, '\n'));
            progress.show(lines);
            return out.write(piece);
        }));
    QUOIN_CHECK(out.finish());
    if (context.json && options.csv != "-") print_json({{"file", options.csv}, {"lines", lines}});
    return {};
}

void add_selection(CLI::App& command, Options& options) {
    command.add_option("--device", options.device, "Only this device");
    command.add_option("--stream", options.stream, "Only this stream");
}

void add_range(CLI::App& command, Options& options) {
    command.add_option("--after-seq", options.after_seq, "Only sequences above this one");
    command.add_option("--from-ms", options.from_ms, "Only samples from this UTC time on");
    command.add_option("--to-ms", options.to_ms, "Only samples before this UTC time");
}

}  // namespace

void add_telemetry_commands(CLI::App& app, Context& context) {
    auto* noun =
        app.add_subcommand("telemetry", "Samples in the data server: follow, query, export");
    noun->require_subcommand(1);
    noun->footer(R"(Examples:
  quoin telemetry tail --device mpu-1              live
  quoin telemetry query --device mpu-1 --last      the newest samples
  quoin telemetry query --stream ambient --after-seq 100 --limit 1000 --json
  quoin telemetry export --csv all.csv             everything; --csv - writes to stdout)");
    const auto options = std::make_shared<Options>();

    auto* tail_command = noun->add_subcommand("tail", "Samples as they are stored, until Ctrl-C");
    add_selection(*tail_command, *options);
    on_run(tail_command, context, [&context, options] { return tail(context, *options); });

    auto* query_command = noun->add_subcommand("query", "Stored samples");
    add_selection(*query_command, *options);
    add_range(*query_command, *options);
    query_command->add_option("--limit", options->limit, "At most so many (default 100)")
        ->check(CLI::PositiveNumber);
    query_command->add_flag("--last", options->last, "The newest ones instead of the oldest");
    on_run(query_command, context, [&context, options] { return query(context, *options); });

    auto* export_command = noun->add_subcommand("export", "Stored samples as CSV");
    add_selection(*export_command, *options);
    add_range(*export_command, *options);
    export_command->add_option("--csv", options->csv, "The file to write; - is stdout")->required();
    on_run(export_command, context, [&context, options] { return export_csv(context, *options); });
}

}  // namespace quoin::cli
