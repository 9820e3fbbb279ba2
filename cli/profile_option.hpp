// --profile of the commands that make a PKI.
#pragma once

#include <string>

#include "cli/context.hpp"
#include "host/error.hpp"
#include "server/pki/profile.hpp"

namespace CLI {
class App;
}

namespace quoin::cli {

struct ProfileOption {
    std::string name;  // or a file; empty: that of --suite, else hybrid
    bool danger_allow_classical = false;
};

void add_profile_option(CLI::App* command, ProfileOption& option);

// input_conflict if --suite says another one, input_invalid if it is classical and not allowed.
Result<server::PkiProfile> chosen_profile(const Context& context, const ProfileOption& option);

}  // namespace quoin::cli
