// Opens an anchor from what stands in a store's file: "none", or the URI of a key store that counts
// (host/keys/open.hpp).
#pragma once

#include "host/counters/anchor.hpp"

namespace quoin::counters {

// Null for "none".
Result<std::unique_ptr<Anchor>> open_anchor(std::string_view uri, std::string_view name);

}  // namespace quoin::counters
