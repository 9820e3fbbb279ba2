// Opens a key store from its URI (host/keys/uri.hpp).
//
// A fallback happens only from a store that cannot be reached (resource_unavailable or
// resource_timeout) to one that the configuration names; the caller is told each time. A wrong or
// locked PIN, changed PCRs, or a store that is not there never fall through. Threads: free
// functions.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "host/keys/security_provider.hpp"

namespace quoin::keys {

// Reaches the store, and proves who we are to it.
Result<std::unique_ptr<SecurityProvider>> open_store(std::string_view uri);
// A new, empty store; one that is there is input_conflict and stays as it is.
Result<std::unique_ptr<SecurityProvider>> create_store(std::string_view uri);

struct Choice {
    std::string store;                   // URI
    std::vector<std::string> fallbacks;  // URIs, in order; only what the configuration says
    // A production profile: software keys are config_invalid, unless `danger_software_keys`.
    bool production = false;
    bool danger_software_keys = false;
};
// Of the store that was skipped, the one that is tried instead, and why. For an event and the log.
using OnFallback =
    std::function<void(std::string_view from, std::string_view to, const Error& why)>;

Result<std::unique_ptr<SecurityProvider>> open_store(const Choice& choice,
                                                     const OnFallback& on_fallback);

}  // namespace quoin::keys
