// Opens a key store from its URI (host/keys/uri.hpp).
//
// A fallback happens only from a store that cannot be reached (resource_unavailable or
// resource_timeout) to one that the configuration names; the caller is told each time. A wrong or
// locked PIN, changed PCRs that the store itself reports, or a store that was never made never fall
// through. But a quoin-se that could not be unsealed does not run, and so cannot be reached: where
// that must not lead to a weaker store, name none. Threads: free functions.
#pragma once

#include <memory>
#include <string_view>

#include "host/keys/choice.hpp"
#include "host/keys/security_provider.hpp"

namespace quoin::keys {

// Reaches the store, and proves who we are to it.
Result<std::unique_ptr<SecurityProvider>> open_store(std::string_view uri);
// A new, empty store; one that is there is input_conflict and stays as it is.
Result<std::unique_ptr<SecurityProvider>> create_store(std::string_view uri);

// The store of the choice, or the first of its fallbacks that can be reached.
Result<std::unique_ptr<SecurityProvider>> open_store(const Choice& choice,
                                                     const OnFallback& on_fallback);

// Of an error of open_store(): what a fallback is for.
bool cannot_be_reached(Code code);

}  // namespace quoin::keys
