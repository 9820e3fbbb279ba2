// A key that is named, not held (host/keys/se/reference.hpp): the program that loads it signs like
// with any key, and each signature is made by quoin-se.
//
// Threads: any number may sign with one key; requests go one after the other. Fork: a child gets a
// connection of its own (host/keys/se/client.hpp).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "host/keys/se/reference.hpp"

namespace quoin::provider {

using keys::se::KeyReference;
using keys::se::reference_label;

// None, silently, for what is no reference; none, with an error queued, for a wrong one.
std::optional<KeyReference> read_reference(Bytes der);

// The half of a key that signs, in a store of keys.
class RemoteSigner {
public:
    RemoteSigner() = default;
    RemoteSigner(const RemoteSigner&) = delete;
    RemoteSigner& operator=(const RemoteSigner&) = delete;
    virtual ~RemoteSigner() = default;

    virtual Bytes public_key() const = 0;  // raw
    // False, and the queue says why: the store's own words.
    virtual bool sign(Bytes message, Bytes context, MutableBytes signature) const = 0;
};

// Null if the key is of another algorithm than that of the object identifier; none, with an error
// queued, if the store cannot be reached or does not tell of the key.
std::optional<std::shared_ptr<const RemoteSigner>> open_remote(const KeyReference& reference,
                                                               const char* oid);

}  // namespace quoin::provider
