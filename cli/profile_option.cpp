#include "cli/profile_option.hpp"

#include <CLI/CLI.hpp>

#include "host/tls/policy.hpp"

namespace quoin::cli {

void add_profile_option(CLI::App* command, ProfileOption& option) {
    command->add_option("--profile", option.name,
                        "Algorithms and lifetimes: a name of `quoin pki profiles`, or a file "
                        "(NAME.toml); default: that of --suite");
    command->add_flag("--danger-allow-classical", option.danger_allow_classical,
                      "Also a profile that quantum computers break");
}

Result<server::PkiProfile> chosen_profile(const Context& context, const ProfileOption& option) {
    const std::string suite = context.suite.empty() ? "hybrid" : context.suite;
    QUOIN_TRY(server::PkiProfile profile,
              server::find_profile(option.name.empty() ? suite : option.name));
    const std::string_view its = tls::info(profile.suite).name;
    if (!context.suite.empty() && its != context.suite) {
        return fail(Code::input_conflict, "--suite {} and a profile of suite {}: leave one away",
                    context.suite, its);
    }
    if (profile.suite == tls::Suite::classical && !option.danger_allow_classical) {
        return fail(Code::input_invalid,
                    "a classical PKI does not resist quantum computers; to compare with it, say "
                    "--danger-allow-classical");
    }
    return profile;
}

}  // namespace quoin::cli
