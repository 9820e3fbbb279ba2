// Keys that our own programs make and replace: a device's session key, a plant's service keys.
//
// Choice::store is one that gives references (quoin-se): a key is made there and stays there.
// Without a store, or in the fallback `software_keys`, it is in this process and in an encrypted
// file: best effort, and refused in a production profile. The keys of one use in a store have names
// that begin alike: program_key_prefix(). Threads: free functions.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "host/crypto/crypto.hpp"
#include "host/error.hpp"
#include "host/keys/choice.hpp"
#include "host/keys/security_provider.hpp"

namespace quoin::keys {

// "session-0123456789abcdef-": `owner` may be as long as it likes, and several share a store.
Result<std::string> program_key_prefix(std::string_view use, std::string_view owner);

// Where a new key goes: the store, or the first fallback that can be reached when it cannot; null:
// a software key.
Result<std::unique_ptr<SecurityProvider>> open_for_new_key(const Choice& choice,
                                                           const OnFallback& on_fallback);
// In the store, or in the first fallback that can be reached when the store cannot.
Result<crypto::PrivateKey> make_program_key(const Choice& choice, const std::string& prefix,
                                            crypto::Algorithm algorithm,
                                            const OnFallback& on_fallback);

// PrivateKey::load(); a software key is config_invalid in a production profile.
Result<crypto::PrivateKey> load_program_key(const Choice& choice, const std::filesystem::path& file,
                                            const crypto::Passphrase& unlock);

// Of a store whose keys stay for now, and why: it cannot be reached.
using OnUnreached = std::function<void(std::string_view store, const Error& why)>;

// Removes the keys that begin so from the store and all fallbacks, but for this one (null: all of
// them): those before it, and what attempts that failed left. Call it again later for stores that
// were not reached.
Result<void> remove_other_program_keys(const Choice& choice, const std::string& prefix,
                                       const crypto::PublicKey* kept,
                                       const OnUnreached& on_unreached);

// Where the private key of a file is. Asks nobody.
struct KeyPlace {
    std::string store;  // URI; empty: a software key, in the file
    std::string name;   // in the store
};
Result<KeyPlace> place_of_reference(std::string_view pem);
Result<KeyPlace> place_of_key(const std::filesystem::path& file);
// The choice has a store, and the key is elsewhere: in a fallback, or made before it was said.
bool is_elsewhere(const Choice& choice, const KeyPlace& place);
// What the store says of itself; its error if it cannot be reached.
Result<Residence> residence_of(const KeyPlace& place);
// The same if the key of that name is there and is this one: input_not_found, integrity_mismatch. A
// software key, which only unlock.key opens, is not compared.
Result<Residence> residence_of(const KeyPlace& place, const crypto::PublicKey& key);
// Of a key that is loaded: its store is quoin-se, or this process.
Residence residence_of(const crypto::PrivateKey& key);

}  // namespace quoin::keys
