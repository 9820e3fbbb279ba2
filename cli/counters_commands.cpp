#include "cli/counters_commands.hpp"

#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>

#include "cli/output.hpp"
#include "host/counters/open_anchor.hpp"
#include "host/counters/store.hpp"

namespace quoin::cli {
namespace {

using counters::Store;

struct Options {
    std::string file, name, anchor;
    bool danger_no_other_copy = false;
};

Result<void> status(const Context& context, const Options& options) {
    QUOIN_TRY(const counters::Content content, Store::look(options.file));
    QUOIN_TRY(const auto anchor, counters::open_anchor(content.anchor, content.name));
    auto examined = Store::examine(options.file, content.name, anchor.get());
    if (!examined && examined.error().code != Code::integrity_mismatch) return examined;
    const counters::Strength strength = anchor ? anchor->strength() : counters::Strength::none;
    nlohmann::json answer = {{"store", content.name},
                             {"anchor", content.anchor},
                             {"protection", counters::strength_text(strength)},
                             {"generation", content.generation},
                             {"counters", content.entries.size()},
                             {"state", examined ? "sound" : examined.error().message}};
    if (context.json) {
        print_json(answer);
    } else {
        fmt::print("{}", sheet(answer));
    }
    if (!examined) return fail(Code::integrity_mismatch, "{}: would not open", options.file);
    return {};
}

// What the file says, where the options do not.
Result<void> complete(Options& options) {
    if (!options.name.empty() && !options.anchor.empty()) return {};
    const auto content = Store::look(options.file);
    if (!content) {
        return fail(content.error().code,
                    "{}; as the file does not say, say --name and --anchor of the store",
                    content.error().message);
    }
    if (options.name.empty()) options.name = content->name;
    if (options.anchor.empty()) options.anchor = content->anchor;
    return {};
}

Result<void> adopt(const Context& context, const Options& given) {
    Options options = given;
    QUOIN_CHECK(complete(options));
    if (!options.danger_no_other_copy) {
        return fail(Code::input_invalid,
                    "{}: sequences would skip far ahead, and one-time keys and pads be spent for "
                    "good. If no other copy of this disk runs or ever will, and the clock is right "
                    "now, add --danger-no-other-copy",
                    options.file);
    }
    QUOIN_TRY(const auto anchor, counters::open_anchor(options.anchor, options.name));
    const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::system_clock::now().time_since_epoch());
    QUOIN_TRY(const counters::Adopted done, Store::adopt(options.file, options.name, anchor.get(),
                                                         static_cast<std::uint64_t>(now.count())));
    const nlohmann::json answer = {{"store", options.name},     {"anchor", options.anchor},
                                   {"had_file", done.had_file}, {"skipped", done.skipped},
                                   {"spent", done.spent},       {"may_be_behind", done.behind}};
    if (context.json) {
        print_json(answer);
        return {};
    }
    fmt::print("{}", sheet(answer));
    fmt::print("what it was: {}.before\n", options.file);
    if (!done.spent.empty()) fmt::print("spent: make new keys or pads\n");
    if (!done.behind.empty()) {
        fmt::print("may be behind: compare with who knows better (a peer, the SIEM, a release)\n");
    }
    return {};
}

}  // namespace

void add_counters_commands(CLI::App& app, Context& context) {
    auto* noun = app.add_subcommand(
        "counters", "Numbers that must never come back, and what notices a restored disk");
    noun->require_subcommand(1);
    noun->footer(
        R"(A store of counters refuses to open when its file is not the newest: a disk was
restored or copied, or the TPM is another. Put back the right file or TPM if you
can. If not, adopt what is there.

Examples:
  quoin counters status firmware-key/counters
  quoin counters adopt /var/lib/quoin/counters --danger-no-other-copy)");
    const auto options = std::make_shared<Options>();
    auto* look = noun->add_subcommand("status", "Would this store open, and what protects it?");
    auto* take = noun->add_subcommand("adopt", "Use a store that was refused, after all");
    for (auto* command : {look, take}) {
        command->add_option("FILE", options->file, "The store's file")->required();
    }
    take->add_option("--name", options->name, "Of the store, if its file is lost");
    take->add_option("--anchor", options->anchor,
                     "tpm:..., se:... or none (default: as the file says)");
    take->add_flag("--danger-no-other-copy", options->danger_no_other_copy,
                   "Yes: no other copy of this disk runs, or ever will");
    on_run(look, context, [&context, options] { return status(context, *options); });
    on_run(take, context, [&context, options] { return adopt(context, *options); });
}

}  // namespace quoin::cli
