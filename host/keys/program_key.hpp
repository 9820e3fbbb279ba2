// Keys that our own programs make and replace: a device's session key, a plant's service keys.
//
// `store` is the URI of a store that gives references (quoin-se): a key is made there and stays
// there. Without a store it is in this process, best effort. The keys of one use in a store have
// names that begin alike: program_key_prefix(). Threads: free functions.
#pragma once

#include <string>
#include <string_view>

#include "host/crypto/crypto.hpp"
#include "host/error.hpp"

namespace quoin::keys {

// "session-0123456789abcdef-": `owner` may be as long as it likes, and several share a store.
Result<std::string> program_key_prefix(std::string_view use, std::string_view owner);

Result<crypto::PrivateKey> make_program_key(const std::string& store, const std::string& prefix,
                                            crypto::Algorithm algorithm);

// Removes the keys that begin so from the store, but for this one (null: all of them): those before
// it, and what attempts that failed left. Nothing without a store.
Result<void> remove_other_program_keys(const std::string& store, const std::string& prefix,
                                       const crypto::PrivateKey* kept);

}  // namespace quoin::keys
