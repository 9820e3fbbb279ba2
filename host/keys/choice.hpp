// Which key store a program uses, as its configuration says (agent.toml, quoin.toml), and what a
// production profile refuses.
//
//   profile = "production"                      # or "development", the default
//   [keys]
//   # Default: software keys, encrypted files of the home.
//   store = "se:socket=/run/quoin/se.sock"
//   # In this order; default: none.
//   fallbacks = ["se:socket=/run/quoin/spare.sock", "software"]
//   danger_software_keys = true                 # in production, too
//
// Threads: plain values.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "host/config/config.hpp"
#include "host/error.hpp"

namespace quoin::keys {

// As the last of a program's fallbacks: keys in its own process and in encrypted files.
inline constexpr std::string_view software_keys = "software";

struct Choice {
    std::string store = {};                   // URI; of a program also "": software keys
    std::vector<std::string> fallbacks = {};  // URIs, in order; only what the configuration says
    // A production profile: software keys are config_invalid, unless `danger_software_keys`.
    bool production = false;
    bool danger_software_keys = false;

    bool operator==(const Choice&) const = default;
};
// Of the store that was skipped, the one that is tried instead, and why. For an event and the log.
using OnFallback =
    std::function<void(std::string_view from, std::string_view to, const Error& why)>;

// Binds `profile` and `[keys]` of a program, and returns that table, for keys of the program's own.
// Refused: a store whose keys OpenSSL cannot use, a fallback from nothing, and what a production
// profile does not allow.
config::Section bind_choice(config::Section& root, Choice& choice);

// The same as a configuration that is not in a file says it: config_invalid.
Result<void> check_choice(const Choice& choice);

// config_invalid in a production profile: `what` ("HOME/services/audit.key", "a new key") would be
// a software key.
Result<void> check_software_key(const Choice& choice, std::string_view what);

// Its `[keys]` table for a configuration file; empty for the default.
std::string keys_table(const Choice& choice);

}  // namespace quoin::keys
