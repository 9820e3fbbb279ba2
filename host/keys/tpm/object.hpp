// Objects under a store's primary key: templates, and the blobs in which they are kept outside the
// TPM.
//
//   blob = "QTPM\0\0\0\1" || PCR selection 3 || TPM2B_PUBLIC || TPM2B_PRIVATE
//
// A blob is no secret: the TPM encrypts and authenticates what is private with the primary key, and
// binds it to the public part. Source: TPM 2.0 Library part 1, section 23; part 2, section 12.
// Threads: free functions.
#pragma once

#include <tss2/tss2_tpm2_types.h>

#include <vector>

#include "core/base/bytes.hpp"
#include "host/error.hpp"
#include "host/keys/security_provider.hpp"

namespace quoin::keys::tpm {

struct Object {
    std::vector<std::uint32_t> pcrs;  // that the policy is over; the policy itself is in `open`
    TPM2B_PUBLIC open{};
    TPM2B_PRIVATE closed{};

    bool attests() const {
        return (open.publicArea.objectAttributes & TPMA_OBJECT_RESTRICTED) != 0;
    }
    bool is_bound() const {
        return (open.publicArea.objectAttributes & TPMA_OBJECT_USERWITHAUTH) == 0;
    }
};

Result<ByteVector> encode(const Object& object);
// integrity_mismatch: cannot be one.
Result<Object> decode(Bytes blob);

// A P-256 storage key. `unique`: 64 bytes that nobody keeps, so that nobody makes the key again.
TPM2B_PUBLIC storage_template(Bytes unique, bool with_lockout);
bool is_storage_key(const TPM2B_PUBLIC& key);
// A P-256 key that signs with ECDSA and SHA-256; with a policy, only when that is fulfilled.
TPM2B_PUBLIC signing_template(bool attestation_only, const TPM2B_DIGEST& policy);
TPM2B_PUBLIC sealed_template(const TPM2B_DIGEST& policy);

// In DER, as X.509 has them.
Result<ByteVector> spki_of(const TPM2B_PUBLIC& key);
Result<ByteVector> der_of(const TPMT_SIGNATURE& signature);

}  // namespace quoin::keys::tpm
