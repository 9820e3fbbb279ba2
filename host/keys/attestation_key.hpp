// The key that signs a device's evidence: SLH-DSA-SHAKE-128f, in one of three places.
//
//   in this process            best effort; at rest under the device's unlock key
//   in quoin-se                it never leaves it
//   in quoin-se, with a TPM    beside that, it signs only with a quote of that TPM over its PCRs as
//                              they were when the key was made (the "PQ fTPM"): quoin-se checks
//                              each
//
// The quote key is the TPM's own, ECDSA P-256 and restricted: it quotes, and signs nothing else.
// Its name in the TPM's store is `quote_key_name`; it is made when it is missing.
//
// Errors: those of the stores; integrity_mismatch: the PCRs are not those of the key any more.
// Threads: any. Time: 40 ms for a signature in this process, 20 ms more for a quote (swtpm).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "host/crypto/crypto.hpp"
#include "host/keys/program_key.hpp"
#include "host/keys/security_provider.hpp"
#include "host/keys/tpm/quote.hpp"

namespace quoin::keys::se {
class Client;
}

namespace quoin::keys {

inline constexpr std::string_view quote_key_name = "quote";

struct AttestationStores {
    Choice keys;
    std::string tpm;  // URI of a TPM's store, which is there; needs a store of keys; empty: none
};

class AttestationKey {
public:
    // `owner`: the device; several share a store.
    static Result<AttestationKey> make(const AttestationStores& stores, const std::string& owner,
                                       const OnFallback& on_fallback);
    // One that is in this process already.
    static Result<AttestationKey> of(crypto::PrivateKey key);
    // As pem() wrote it. The TPM is opened when it is needed.
    static Result<AttestationKey> from_pem(std::string_view pem, const crypto::Passphrase& unlock,
                                           const AttestationStores& stores);
    Result<std::string> pem(const crypto::Passphrase& unlock) const;
    // remove_other_program_keys() of the owner's attestation keys.
    static Result<void> remove_others(const Choice& choice, const std::string& owner,
                                      const crypto::PublicKey* kept,
                                      const OnUnreached& on_unreached);

    const crypto::PublicKey& public_key() const { return public_key_; }
    bool is_in_store() const { return element_ != nullptr; }
    Residence residence() const {
        return is_in_store() ? Residence::separate_process : Residence::best_effort;
    }
    // Bound to a TPM: its quote key (SubjectPublicKeyInfo) and its PCRs when this key was made.
    bool is_bound() const { return platform_.has_value(); }
    const ByteVector& quote_key() const { return quote_key_; }
    const tpm::PcrState& platform() const { return *platform_; }
    // integrity_mismatch: the PCRs have changed since, or it is not that TPM: the key is of no use
    // until they are back.
    Result<void> check_platform() const;

    // With a quote if it is bound.
    Result<tpm::QuotedSignature> sign(Bytes message) const;

private:
    struct Element;  // quoin-se, the key's name in it, and the TPM

    explicit AttestationKey(crypto::PublicKey key) : public_key_(std::move(key)) {}
    static Result<AttestationKey> in_store(std::unique_ptr<se::Client> client, std::string name,
                                           std::string tpm_uri);
    Result<SecurityProvider*> tpm() const;

    crypto::PublicKey public_key_;
    std::optional<crypto::PrivateKey> here_;
    std::shared_ptr<Element> element_;
    ByteVector quote_key_;
    std::optional<tpm::PcrState> platform_;
};

}  // namespace quoin::keys
