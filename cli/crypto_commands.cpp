#include "cli/crypto_commands.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <optional>

#include "cli/output.hpp"
#include "host/crypto/measure/measure.hpp"
#include "host/crypto/measure/selftest.hpp"

namespace quoin::cli {
namespace {

namespace measure = crypto::measure;
namespace speed = crypto::speed;

struct Options {
    std::vector<std::string> names;
    int rounds = 7;
    double round_ms = 20;
};

Result<void> selftest(const Context& context, bool all) {
    std::optional<Progress> bar;
    auto results = measure::self_test([&](std::size_t done, std::size_t total) {
        if (!bar) bar.emplace(context, "known answers", total);
        bar->show(done);
    });
    bar.reset();
    QUOIN_TRY(const auto through_evp, measure::evp_self_test(all));
    results.insert(results.end(), through_evp.begin(), through_evp.end());
    const auto failed = std::ranges::count(results, false, &measure::SelfTest::passed);
    const auto missing = measure::missing_backends();
    nlohmann::json rows = nlohmann::json::array();
    for (const measure::SelfTest& result : results) {
        rows.push_back({{"operation", result.operation},
                        {"backend", result.backend},
                        {"result", result.passed ? "passed" : "FAILED"}});
    }
    if (context.json) {
        print_json({{"machine", measure::machine()},
                    {"results", rows},
                    {"passed", results.size() - static_cast<std::size_t>(failed)},
                    {"failed", failed},
                    {"not_run", missing}});
    } else {
        fmt::print("{}",
                   table({{"operation", "operation"}, {"backend", "backend"}, {"result", "result"}},
                         rows));
        for (const std::string& backend : missing) {
            fmt::print("not run: {}, which this processor does not have\n", backend);
        }
        fmt::print("{}: {} of {} known answers are right\n", measure::machine(),
                   results.size() - static_cast<std::size_t>(failed), results.size());
    }
    if (failed == 0) return {};
    return fail(
        Code::integrity_mismatch,
        "{} of {} known answers are wrong: do not use this machine, or this build, for keys",
        failed, results.size());
}

bool is_wanted(const std::string& operation, const std::vector<std::string>& names) {
    return names.empty() || std::ranges::any_of(names, [&](const std::string& name) {
               return operation.find(name) != std::string::npos;
           });
}

nlohmann::json row_of(const speed::Outcome& outcome) {
    nlohmann::json row = {
        {"operation", outcome.operation}, {"ours_us", outcome.ours_us}, {"spread", outcome.spread}};
    if (outcome.peer_us != 0) {
        row["openssl_us"] = outcome.peer_us;
        row["ratio"] = outcome.ratio;
    }
    return row;
}

void print_row(const speed::Outcome& outcome) {
    if (outcome.peer_us == 0) {
        fmt::print("{:<26}{:>11.2f}{:>12}{:>8}{:>7.0f} %\n", outcome.operation, outcome.ours_us,
                   "-", "-", 100 * outcome.spread);
    } else {
        fmt::print("{:<26}{:>11.2f}{:>12.2f}{:>8.2f}{:>7.0f} %\n", outcome.operation,
                   outcome.ours_us, outcome.peer_us, outcome.ratio, 100 * outcome.spread);
    }
    std::fflush(stdout);
}

Result<void> run_speed(const Context& context, const Options& options) {
    auto comparisons = measure::comparisons();
    std::erase_if(comparisons, [&](const measure::Comparison& comparison) {
        return !is_wanted(comparison.operation, options.names);
    });
    if (comparisons.empty()) {
        return fail(Code::input_not_found,
                    "no operation has {} in its name; quoin crypto speed measures them all",
                    fmt::join(options.names, " or "));
    }
    if (!context.json) {
        fmt::print("{}\n{:<26}{:>11}{:>12}{:>8}{:>9}\n", measure::machine(), "operation", "ours us",
                   "OpenSSL us", "ratio", "spread");
    }
    nlohmann::json rows = nlohmann::json::array();
    for (const measure::Comparison& comparison : comparisons) {
        const auto outcome = measure::run(
            comparison, {.rounds = options.rounds, .round_us = 1000 * options.round_ms});
        rows.push_back(row_of(outcome));
        if (!context.json) print_row(outcome);
    }
    if (context.json) print_json({{"machine", measure::machine()}, {"results", rows}});
    return {};
}

}  // namespace

void add_crypto_commands(CLI::App& app, Context& context) {
    auto* noun = app.add_subcommand("crypto", "Quoin's own cryptography: is it right, is it fast?");
    noun->require_subcommand(1);
    noun->footer(
        "Examples:\n"
        "  quoin crypto selftest            every algorithm, on every kind of instructions\n"
        "  quoin crypto speed ML-KEM-768    beside OpenSSL, in this very run");
    auto* test = noun->add_subcommand("selftest", "Known answers of every algorithm, here");
    test->footer(
        R"(Runs keys, messages and signatures made by others through the portable build and
through each build for instructions that this processor has (AVX2, AVX-512, SHA-NI,
AES-NI, VAES), and names those that it has not; then through OpenSSL with our provider ("EVP"), the
way of our programs, which run these at their start. Takes about a second. Exit code 1 if one answer
is wrong: then neither keys nor signatures of this machine can be trusted.

  quoin crypto selftest
  quoin crypto selftest --all
  quoin crypto selftest --json)");
    const auto all = std::make_shared<bool>(false);
    test->add_flag("--all", *all, "Sign with all twelve sets of SLH-DSA, too (six seconds)");
    on_run(test, context, [&context, all] { return selftest(context, *all); });

    const auto options = std::make_shared<Options>();
    auto* speed_command = noun->add_subcommand("speed", "Our operations beside OpenSSL's");
    speed_command->add_option("NAMES", options->names,
                              "Only operations with one of these in their name");
    speed_command->add_option("--rounds", options->rounds, "Of each side, by turns (default 7)")
        ->check(CLI::Range(1, 1000));
    speed_command
        ->add_option("--round-ms", options->round_ms, "Processor time of a round (default 20)")
        ->check(CLI::Range(0.1, 10000.0));
    speed_command->footer(
        R"(Both sides run by turns, in processor time of one thread; the ratio is the median of
the rounds' (OpenSSL / ours: above 1 ours is faster), the spread (largest - smallest) /
median. Machines drift: compare ratios, never microseconds of different runs. LMS has no
peer in OpenSSL.

  quoin crypto speed
  quoin crypto speed ML-DSA Ed25519 --rounds 15
  quoin crypto speed --json)");
    on_run(speed_command, context, [&context, options] { return run_speed(context, *options); });
}

}  // namespace quoin::cli
