#include "cli/audit_commands.hpp"

#include <CLI/CLI.hpp>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <sstream>

#include "cli/output.hpp"
#include "host/audit/signers.hpp"
#include "host/audit/syslog.hpp"
#include "host/audit/verify.hpp"
#include "host/keys/program_key.hpp"
#include "host/x509/certificate.hpp"
#include "host/x509/former_roots.hpp"

namespace quoin::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* cut_back =
    "a log that was cut back to an earlier checkpoint looks whole: compare the last number with "
    "your "
    "SIEM (--at-least)";

struct Options {
    std::string file;  // default HOME/audit/audit.jsonl
    std::uint64_t at_least = 0;
    bool pin = false;
    std::string format = "json";
    std::string since;
};

fs::path file_of(const Context& context, const Options& options) {
    return options.file.empty() ? fs::path(context.home) / "audit" / "audit.jsonl"
                                : fs::path(options.file);
}

struct Signer {
    crypto::PublicKey key;
    std::vector<crypto::PublicKey> earlier;
    std::string name;
    std::string key_residence;  // of residence_name(), or "not known here"
    std::string limits;
};

// Where the audit service's key is: its file lies beside the certificate.
void look_for_key(const fs::path& certificate, const crypto::PublicKey& key, Signer& signer) {
    fs::path file = certificate;
    file.replace_extension(".key");
    const auto place = keys::place_of_key(file);
    if (!place) {
        signer.key_residence = "not known here";
        signer.limits = fmt::format("where the signing key is, is not known here: {}; {}",
                                    place.error().message, cut_back);
        return;
    }
    const auto residence = keys::residence_of(*place, key);
    signer.key_residence = residence ? keys::residence_name(*residence) : "not known here";
    if (place->store.empty()) {
        signer.limits = fmt::format("{}: the log is signed with a software key, and {}",
                                    signer.key_residence, cut_back);
    } else {
        signer.limits =
            residence ? fmt::format("the signing key is in {}: {}; {}", place->store,
                                    signer.key_residence, cut_back)
                      : fmt::format(
                            "where the signing key is, is not known here; its file says in {}: "
                            "{}; {}",
                            place->store, residence.error().message, cut_back);
    }
}

Result<void> check_service(std::span<const x509::Certificate> chain,
                           std::span<const x509::Certificate> anchors, const fs::path& file) {
    const auto sound =
        x509::verify_chain(chain.front(), chain.subspan(1), anchors, x509::Purpose::any);
    if (!sound) {
        return fail(sound.error().code,
                    "{}: {} (--pin takes it as it is, if you know it to be right)", file.string(),
                    sound.error().message);
    }
    QUOIN_TRY(const x509::Identity identity, chain.front().identity());
    if (identity.kind != x509::Kind::service || identity.id != "audit") {
        return fail(Code::input_invalid, "{}: it names {}, not the service \"audit\"",
                    file.string(), x509::to_uri(identity));
    }
    return {};
}

// The audit service's certificate: by its chain to the plant's root, or pinned.
Result<Signer> signer(const Context& context, bool pin) {
    const fs::path home(context.home);
    const fs::path file = context.certificate.empty() ? home / "services" / "audit.crt"
                                                      : fs::path(context.certificate);
    QUOIN_TRY(const auto chain, x509::Certificate::load(file));
    if (chain.empty()) return fail(Code::input_invalid, "{} holds no certificate", file.string());
    const fs::path trust =
        context.trust.empty() ? home / "pki" / "root.crt" : fs::path(context.trust);
    std::vector<crypto::PublicKey> earlier;
    // Where only the log and a pinned certificate are, there is no root, nor are earlier keys.
    if (!pin || !context.trust.empty() || fs::exists(trust)) {
        QUOIN_TRY(const auto anchors, x509::Certificate::load(trust));
        QUOIN_TRY(const auto all, x509::with_former_roots(trust.parent_path(), anchors));
        QUOIN_TRY(earlier, audit::earlier_signers(home, all));
        if (!pin) QUOIN_CHECK(check_service(chain, anchors, file));
    }
    QUOIN_TRY(crypto::PublicKey key, chain.front().public_key());
    Signer found{
        std::move(key), std::move(earlier), file.string() + (pin ? " (pinned)" : ""), {}, {}};
    look_for_key(file, found.key, found);
    return found;
}

std::optional<std::string> problem_of(const audit::Report& report, std::uint64_t at_least) {
    if (report.problem)
        return fmt::format("line {}: {}", report.problem->line, report.problem->reason);
    if (report.covered_number == 0) return "no checkpoint: nothing in it is signed";
    if (!report.by_present_key) {
        return fmt::format(
            "its last checkpoint is signed by an earlier key ({}), and none by the present one: "
            "who "
            "has the earlier key can have written it. So it is after \"pki renew-services\" until "
            "quoind starts again; --certificate HOME/audit/earlier/SERIAL.crt checks it until then",
            report.signer.substr(0, 16));
    }
    if (report.last_number < at_least) {
        return fmt::format("it ends at event {}, but event {} was there: its end was cut off",
                           report.last_number, at_least);
    }
    return std::nullopt;
}

nlohmann::json as_json(const audit::Report& report, const std::optional<std::string>& problem,
                       const Signer& signer) {
    nlohmann::json counts = nlohmann::json::object();
    for (const auto& [id, count] : report.counts) counts[std::string(id)] = count;
    return {{"holds", !problem},
            {"problem", problem ? nlohmann::json(*problem) : nlohmann::json()},
            {"line", report.problem ? nlohmann::json(report.problem->line) : nlohmann::json()},
            {"events", report.lines},
            {"checkpoints", report.checkpoints},
            {"last_number", report.last_number},
            {"covered_number", report.covered_number},
            {"unsigned", report.last_number - report.covered_number},
            {"unfinished_bytes", report.unfinished_bytes},
            {"first_ms", report.first_ms},
            {"last_ms", report.last_ms},
            {"last_signer", report.signer},
            {"by_present_key", report.by_present_key},
            {"certificate", signer.name},
            {"key_residence", signer.key_residence},
            {"counts", counts},
            {"limits", signer.limits}};
}

void print(const audit::Report& report, const std::optional<std::string>& problem,
           const fs::path& file, const Signer& signer) {
    fmt::print("log          {}\nsigned by    {}, key: {}\n", file.string(), signer.name,
               signer.key_residence);
    if (report.lines > 0) {
        fmt::print("good lines   1 … {}, {} … {}\n", report.lines, utc(report.first_ms),
                   utc(report.last_ms));
    }
    fmt::print("checkpoints  {}, the last one covers events 1 … {}\n", report.checkpoints,
               report.covered_number);
    if (!report.signer.empty()) {
        fmt::print("last signer  {}, {}\n", report.signer.substr(0, 16),
                   report.by_present_key ? "the present key" : "an EARLIER key");
    }
    if (report.last_number > report.covered_number) {
        fmt::print("not signed   {} events behind it: chained only, not protected yet\n",
                   report.last_number - report.covered_number);
    }
    if (report.unfinished_bytes > 0) {
        fmt::print("unfinished   {} bytes at the end: being written, or cut short by a crash\n",
                   report.unfinished_bytes);
    }
    for (const auto& [id, count] : report.counts) fmt::print("  {:<32} {}\n", id, count);
    fmt::print("result       {}\n", problem ? "DOES NOT HOLD: " + printable(*problem) : "holds");
    fmt::print("note         {}\n", printable(signer.limits));
}

Result<void> run_verify(Context& context, const Options& options) {
    const fs::path file = file_of(context, options);
    QUOIN_TRY(const Signer trusted, signer(context, options.pin));
    QUOIN_TRY(const audit::Report report, audit::verify(file, trusted.earlier, trusted.key));
    const auto problem = problem_of(report, options.at_least);
    if (context.json)
        print_json(as_json(report, problem, trusted));
    else
        print(report, problem, file, trusted);
    if (problem) context.exit_code = exit_code(Code::integrity_mismatch);
    return {};
}

// UTC milliseconds, a day, or a day and a time (2026-11-22T10:00:00Z).
Result<std::int64_t> parse_time(const std::string& text) {
    if (text.empty()) return 0;
    std::int64_t ms = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ms);
    if (error == std::errc() && end == text.data() + text.size() && ms >= 0) return ms;
    for (const char* form : {"%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d"}) {
        std::chrono::sys_time<std::chrono::milliseconds> time;
        std::istringstream in(text);
        in >> std::chrono::parse(form, time);
        if (!in.fail() && in.peek() == std::istringstream::traits_type::eof())
            return time.time_since_epoch().count();
    }
    return fail(Code::input_invalid,
                "--since {}: expected 2026-11-22, 2026-11-22T10:00:00Z or UTC milliseconds",
                printable(text));
}

Result<void> run_export(const Context& context, const Options& options) {
    QUOIN_TRY(const std::int64_t since_ms, parse_time(options.since));
    const std::string host = audit::host_name();
    return audit::each_line(
        file_of(context, options), [&](const audit::Line& line) -> Result<void> {
            if (line.event.time_ms < since_ms) return {};
            const std::string text = options.format == "syslog" ? audit::to_syslog(line, host)
                                                                : audit::to_json(line.event);
            if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() ||
                std::fputc('\n', stdout) == EOF) {
                return fail(Code::resource_unavailable,
                            "cannot write the export: the output is closed or full");
            }
            return {};
        });
}

}  // namespace

void add_audit_commands(CLI::App& app, Context& context) {
    auto* noun = app.add_subcommand("audit", "The log of security events, offline, from its file");
    noun->require_subcommand(1);
    const auto options = std::make_shared<Options>();
    const auto add_file = [&](CLI::App* verb) {
        verb->add_option("--file", options->file, "The log (default HOME/audit/audit.jsonl)");
    };

    auto* verify = noun->add_subcommand("verify", "Check every line, the chain and the signatures");
    verify->footer(
        R"(--certificate names the audit service's certificate (default
HOME/services/audit.crt), --trust the plant's root (default HOME/pki/root.crt).
Examples:
  quoin audit verify --home plant
  quoin audit verify --file audit.jsonl --certificate audit.crt --trust root.crt --at-least 1207)");
    add_file(verify);
    verify->add_option("--at-least", options->at_least, "The log must reach this event number");
    verify->add_flag("--pin", options->pin,
                     "Trust the certificate as it is (an expired one, for instance)");
    on_run(verify, context, [&context, options] { return run_verify(context, *options); });

    auto* convert = noun->add_subcommand(
        "export", "Print the events for another tool (unchecked: verify first)");
    convert->footer(R"(Examples:
  quoin audit export --format syslog --since 2026-11-22T10:00:00Z
  quoin audit export --format json | jq 'select(.severity <= 2)')");
    add_file(convert);
    convert
        ->add_option("--format", options->format,
                     "json (default: one object a line) or syslog (RFC 5424)")
        ->check(CLI::IsMember({"json", "syslog"}));
    convert->add_option("--since", options->since, "Only events from this time on (UTC)");
    on_run(convert, context, [&context, options] { return run_export(context, *options); });
}

}  // namespace quoin::cli
