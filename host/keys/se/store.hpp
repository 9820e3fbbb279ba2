// quoin-se as a key store (host/keys/security_provider.hpp): se:socket=PATH, and ;bus=PROFILE for
// an emulated one (bus.hpp).
//
// What only quoin-se has (sessions, ephemeral keys, policies by uid) is client.hpp's. A store is
// made by starting quoin-se: create() is for one that has no key of ours yet. `platform_bound` is
// input_unsupported: the whole of quoin-se is bound, by what unseals its store. Blobs are sealed
// under a key "_seal.UID" that this class makes and does not list.
#pragma once

#include "host/keys/se/client.hpp"
#include "host/keys/se/reference.hpp"
#include "host/keys/security_provider.hpp"
#include "host/keys/uri.hpp"

namespace quoin::keys::se {

Result<std::unique_ptr<Client>> connect(const Uri& uri);
// SubjectPublicKeyInfo of a raw public key.
Result<ByteVector> spki_of(const AlgorithmInfo& algorithm, Bytes key);
// PEM; the socket's path is made absolute.
Result<std::string> reference_pem(const KeyReference& reference);
Result<std::unique_ptr<SecurityProvider>> open(const Uri& uri);
Result<std::unique_ptr<SecurityProvider>> create(const Uri& uri);

}  // namespace quoin::keys::se
