#include "host/keys/attestation_key.hpp"

#include <algorithm>
#include <array>
#include <mutex>

#include "host/keys/open.hpp"
#include "host/keys/program_key.hpp"
#include "host/keys/se/client.hpp"
#include "host/keys/se/reference.hpp"
#include "host/keys/se/store.hpp"
#include "host/keys/uri.hpp"

namespace quoin::keys {
namespace {

constexpr auto algorithm = crypto::Algorithm::slh_dsa_shake_128f;

Result<std::unique_ptr<se::Client>> connect(const std::string& store) {
    QUOIN_TRY(const Uri uri, Uri::parse(store));
    if (uri.scheme() == "se") return se::connect(uri);
    return fail(Code::config_invalid,
                "{}: attestation keys are made in quoin-se (se:socket=PATH) or in this process",
                store);
}

// The TPM's quote key, made when it is missing.
Result<ByteVector> quote_key_of(SecurityProvider& tpm) {
    auto found = tpm.public_key(quote_key_name);
    if (found || found.error().code != Code::input_not_found) return found;
    UsePolicy policy;
    policy.attestation_only = true;
    QUOIN_CHECK(tpm.generate(quote_key_name, "ECDSA-P256", policy));
    return tpm.public_key(quote_key_name);
}

// What the TPM says of its PCRs now.
Result<tpm::PcrState> state_now(SecurityProvider& tpm, Bytes quote_key) {
    std::array<std::uint8_t, 32> nonce{};
    QUOIN_CHECK(crypto::random_bytes(nonce));
    QUOIN_TRY(const Attestation quote, tpm.attest(quote_key_name, nonce));
    QUOIN_TRY(const tpm::Quote verified, tpm::verify_quote(quote, quote_key, nonce));
    return verified.state;
}

Result<std::string> prefix_of(const std::string& owner) {
    return program_key_prefix("attest", owner);
}

}  // namespace

struct AttestationKey::Element {
    std::unique_ptr<se::Client> client;  // thread-safe
    std::string name;
    std::string tpm_uri;

    std::mutex mutex;
    std::unique_ptr<SecurityProvider> tpm;  // opened when it is needed; thread-safe
};

Result<AttestationKey> AttestationKey::make(const AttestationStores& stores,
                                            const std::string& owner,
                                            const OnFallback& on_fallback) {
    QUOIN_TRY(const auto store, open_for_new_key(stores.keys, on_fallback));
    if (store == nullptr) {
        QUOIN_TRY(crypto::PrivateKey key, crypto::PrivateKey::generate(algorithm));
        return of(std::move(key));
    }
    const std::string uri = store->describe().location;
    se::Policy policy{.operations = se::may_sign};
    if (!stores.tpm.empty()) {
        QUOIN_TRY(const auto tpm, open_store(stores.tpm));
        QUOIN_TRY(policy.platform.quote_key.bytes, quote_key_of(*tpm));
        QUOIN_TRY(const tpm::PcrState state, state_now(*tpm, policy.platform.quote_key.bytes));
        policy.platform.pcrs.items = state.pcrs;
        policy.platform.pcr_digest = state.digest;
    }
    QUOIN_TRY(auto client, connect(uri));
    QUOIN_TRY(const std::string prefix, prefix_of(owner));
    QUOIN_TRY(const std::string tag, crypto::random_hex(8));
    QUOIN_CHECK(client->generate(prefix + tag, se::Algorithm::slh_dsa_shake_128f, policy));
    return in_store(std::move(client), prefix + tag, stores.tpm);
}

Result<AttestationKey> AttestationKey::of(crypto::PrivateKey key) {
    QUOIN_TRY(crypto::PublicKey public_key, key.public_key());
    AttestationKey made(std::move(public_key));
    made.here_ = std::move(key);
    return made;
}

Result<AttestationKey> AttestationKey::in_store(std::unique_ptr<se::Client> client,
                                                std::string name, std::string tpm_uri) {
    QUOIN_TRY(const se::PublicKeyInfo info, client->describe(name));
    QUOIN_TRY(const ByteVector spki, se::spki_of(se::info(info.entry.algorithm), info.public_key));
    QUOIN_TRY(crypto::PublicKey public_key, crypto::PublicKey::from_spki_der(spki));
    AttestationKey key(std::move(public_key));
    key.element_ = std::make_shared<Element>();
    key.element_->client = std::move(client);
    key.element_->name = std::move(name);
    key.element_->tpm_uri = std::move(tpm_uri);
    const se::Platform& platform = info.entry.policy.platform;
    if (platform.quote_key.bytes.empty()) return key;
    key.quote_key_ = platform.quote_key.bytes;
    key.platform_ = tpm::PcrState{platform.pcrs.items, platform.pcr_digest};
    return key;
}

Result<SecurityProvider*> AttestationKey::tpm() const {
    const std::scoped_lock lock(element_->mutex);
    if (element_->tpm_uri.empty()) {
        return fail(Code::config_invalid, "key {} is bound to a TPM, and no TPM is configured",
                    element_->name);
    }
    if (!element_->tpm) {
        QUOIN_TRY(element_->tpm, open_store(element_->tpm_uri));
    }
    return element_->tpm.get();
}

Result<AttestationKey> AttestationKey::from_pem(std::string_view pem,
                                                const crypto::Passphrase& unlock,
                                                const AttestationStores& stores) {
    QUOIN_TRY(const std::string_view label, crypto::label_of_pem(pem));
    if (label != se::reference_label) {
        QUOIN_CHECK(check_software_key(stores.keys, "the attestation key"));
        QUOIN_TRY(crypto::PrivateKey key, crypto::PrivateKey::from_encrypted_pem(pem, unlock));
        return of(std::move(key));
    }
    QUOIN_TRY(const KeyPlace place, place_of_reference(pem));
    QUOIN_TRY(auto client, connect(place.store));
    return in_store(std::move(client), place.name, stores.tpm);
}

Result<std::string> AttestationKey::pem(const crypto::Passphrase& unlock) const {
    if (here_) return here_->to_encrypted_pem(unlock);
    return se::reference_pem({element_->client->options().socket, element_->name});
}

Result<void> AttestationKey::remove_others(const Choice& choice, const std::string& owner,
                                           const crypto::PublicKey* kept,
                                           const OnUnreached& on_unreached) {
    QUOIN_TRY(const std::string prefix, prefix_of(owner));
    return remove_other_program_keys(choice, prefix, kept, on_unreached);
}

Result<void> AttestationKey::check_platform() const {
    if (!is_bound()) return {};
    auto same = [this]() -> Result<void> {
        QUOIN_TRY(SecurityProvider* const tpm, this->tpm());
        QUOIN_TRY(const tpm::PcrState now, state_now(*tpm, quote_key_));
        return tpm::check_state(now, *platform_);
    }();
    if (same) return {};
    // No TPM; no store or quote key in it; another quote key.
    constexpr std::array another_tpm{Code::config_invalid, Code::input_not_found,
                                     Code::integrity_signature};
    if (!std::ranges::contains(another_tpm, same.error().code)) return same;
    return fail(Code::integrity_mismatch, "{}", same.error().message);
}

Result<tpm::QuotedSignature> AttestationKey::sign(Bytes message) const {
    if (here_) {
        QUOIN_TRY(ByteVector signature, here_->sign(message));
        return tpm::QuotedSignature{std::move(signature), std::nullopt};
    }
    std::optional<Attestation> quote;
    se::QuoteField beside;
    if (is_bound()) {
        QUOIN_TRY(const auto nonce, tpm::quote_nonce(message));
        QUOIN_TRY(SecurityProvider* const tpm, this->tpm());
        QUOIN_TRY(quote, tpm->attest(quote_key_name, nonce));
        beside = {{quote->statement}, {quote->signature}};
    }
    QUOIN_TRY(ByteVector signature, element_->client->sign(element_->name, message, {}, beside));
    return tpm::QuotedSignature{std::move(signature), std::move(quote)};
}

}  // namespace quoin::keys
