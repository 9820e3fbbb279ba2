// One operation on a store's primary key: a connection, the key, and a session that proves the
// authorisation. Inside host/keys/tpm only.
#pragma once

#include <functional>
#include <optional>

#include "host/keys/tpm/connection.hpp"
#include "host/keys/tpm/object.hpp"
#include "host/keys/tpm/store.hpp"

namespace quoin::keys::tpm {

struct Operation {
    Connection tpm;
    ESYS_TR primary;
    ByteVector primary_name;  // TPM name: a digest of the public key
    Loaded session;           // authorises with the store's authorisation, or the owner's

    ESYS_CONTEXT* esys() const { return tpm.esys(); }
};

// input_not_found: there is no primary key; input_conflict: the handle is something else's.
Result<Operation> begin(const Config& config);

// Takes the store's primary key into the TPM, after `remember` has its name: what a crash leaves
// between the two is no store, and can be made again. input_conflict: the handle is in use.
Result<void> make_primary(const Config& config,
                          const std::function<Result<void>(const ByteVector&)>& remember);
Result<void> evict_primary(const Operation& operation, const Config& config);

// A new object under the primary key; `secret` is what to seal, empty for a key.
Result<Object> make_object(const Operation& operation, const TPM2B_PUBLIC& form, Bytes secret);
// integrity_mismatch: another TPM's or store's, or damaged.
Result<Loaded> load_object(const Operation& operation, const Object& object);

// NV counters of the store (see store.hpp). An increment returns a value that no other increment
// has, whoever else counts: the TPM has no command that does both, so a value that is not the next
// one after what was read before is counted past.
Result<std::uint64_t> define_counter(const Operation& operation, const Config& config,
                                     std::string_view name);
Result<std::uint64_t> read_counter(const Operation& operation, const Config& config,
                                   std::string_view name, bool increment);
Result<void> undefine_counters(const Operation& operation, const Config& config);

}  // namespace quoin::keys::tpm
