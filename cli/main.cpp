#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#include "cli/audit_commands.hpp"
#include "cli/context.hpp"
#include "cli/counters_commands.hpp"
#include "cli/crypto_commands.hpp"
#include "cli/demo/demo_commands.hpp"
#include "cli/device_commands.hpp"
#include "cli/doctor/doctor_commands.hpp"
#include "cli/enrolment_commands.hpp"
#include "cli/event_commands.hpp"
#include "cli/falcon_commands.hpp"
#include "cli/integrity_commands.hpp"
#include "cli/keys_commands.hpp"
#include "cli/lms_commands.hpp"
#include "cli/pki_commands.hpp"
#include "cli/plant/up_commands.hpp"
#include "cli/release_commands.hpp"
#include "cli/status_commands.hpp"
#include "cli/telemetry_commands.hpp"
#include "host/approved_mode.hpp"
#include "host/crypto/wipe_freed.hpp"

namespace quoin::cli {
namespace {

constexpr const char* footer = R"(Examples:
  quoin demo                          the whole plant and an attack on it, in one folder
  quoin up --home plant               a plant that stays; quoin down --home plant ends it
  quoin device list --home plant      who is there?
  quoin events --follow --home plant  what happens?

QUOIN_HOME in the environment stands for --home. Exit codes: 0 ok, 1 failed, 2 usage.)";

void add_global_options(CLI::App& app, Context& context) {
    app.add_flag("--json", context.json, "Answer in JSON");
    app.add_option("--home", context.home, "The plant's folder (default /var/lib/quoin)")
        ->envname("QUOIN_HOME");
    app.add_option("--suite", context.suite,
                   "Of a new plant, or of the plant at --url: hybrid (default) or pure")
        ->check(CLI::IsMember({"hybrid", "pure"}));
    app.add_option("--url", context.url,
                   "A remote plant, https://host:port, instead of a local home");
    app.add_option("--certificate", context.certificate,
                   "Operator certificate for --url (default HOME/operator/admin.crt)");
    app.add_option("--key", context.key, "Its key (default: beside it); HOME/unlock.key opens it");
    app.add_option("--trust", context.trust,
                   "The plant root for --url (default HOME/pki/root.crt)");
}

// The words, last first, as CLI11 takes them. A password in a URL (postgresql://user:password@host)
// is overwritten where everybody's `ps` would show it for as long as the program runs.
std::vector<std::string> take_words(int argc, char** argv) {
    std::vector<std::string> words;
    for (char* word : std::span(argv, static_cast<std::size_t>(argc)).subspan(1)) {
        words.emplace_back(word);
        const std::string& text = words.back();
        const std::size_t scheme = text.find("://");
        const std::size_t at = text.rfind('@');
        if (scheme == std::string::npos || at == std::string::npos) continue;
        const std::size_t colon = text.find(':', scheme + 3);
        if (colon < at) std::fill(word + colon + 1, word + at, 'x');
    }
    std::ranges::reverse(words);
    return words;
}

int run(int argc, char** argv) {
    Context context;
    CLI::App app("Quoin: a factory that stays secure against quantum computers", "quoin");
    app.require_subcommand(1);
    app.fallthrough();  // the global options may stand behind the verb
    app.footer(footer);
    app.set_version_flag("--version", "quoin 0.1.0");
    add_global_options(app, context);
    // Before any command reads it: a relative home must not depend on where a process runs.
    app.parse_complete_callback([&context] {
        std::error_code failure;
        const auto home = std::filesystem::absolute(context.home, failure).lexically_normal();
        if (!failure) context.home = home.has_filename() ? home : home.parent_path();
    });
    add_demo_commands(app, context);
    add_up_commands(app, context);
    add_status_commands(app, context);
    add_device_commands(app, context);
    add_enrolment_commands(app, context);
    add_telemetry_commands(app, context);
    add_event_commands(app, context);
    add_audit_commands(app, context);
    add_release_commands(app, context);
    add_pki_commands(app, context);
    add_keys_commands(app, context);
    add_lms_commands(app, context);
    add_counters_commands(app, context);
    add_falcon_commands(app, context);
    add_crypto_commands(app, context);
    add_integrity_commands(app, context);
    add_doctor_commands(app, context);
    try {
        app.parse(take_words(argc, argv));
    } catch (const CLI::ParseError& error) {
        const bool asked_for_help = error.get_exit_code() == 0;
        app.exit(error);
        return asked_for_help ? 0 : 2;
    }
    return context.exit_code;
}

}  // namespace
}  // namespace quoin::cli

int main(int argc, char** argv) {
    quoin::crypto::begin_process();
    if (const auto allowed = quoin::check_words(std::span(argv, static_cast<std::size_t>(argc)));
        !allowed) {
        fmt::print(stderr, "quoin: {}\n", allowed.error().message);
        return quoin::exit_code(allowed.error().code);
    }
    std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is an error of write, not an end
    return quoin::cli::run(argc, argv);
}
