#include "host/keys/se/store.hpp"

#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <filesystem>

#include "host/crypto/crypto.hpp"
#include "host/crypto/handles.hpp"

namespace quoin::keys::se {
using SpkiHandle = crypto::Handle<X509_PUBKEY, X509_PUBKEY_free>;

// SubjectPublicKeyInfo without parameters, which is how all of the table are.
Result<ByteVector> spki_of(const AlgorithmInfo& algorithm, Bytes key) {
    const SpkiHandle spki(X509_PUBKEY_new());
    ASN1_OBJECT* const oid = OBJ_txt2obj(std::string(algorithm.oid).c_str(), 1);
    auto* const copy = static_cast<unsigned char*>(OPENSSL_memdup(key.data(), key.size()));
    if (!spki || oid == nullptr || copy == nullptr ||
        X509_PUBKEY_set0_param(spki.get(), oid, V_ASN1_UNDEF, nullptr, copy,
                               static_cast<int>(key.size())) != 1) {
        ASN1_OBJECT_free(oid);
        OPENSSL_free(copy);
        return fail(Code::internal, "encode a public key: {}", crypto::openssl_error());
    }
    const int size = i2d_X509_PUBKEY(spki.get(), nullptr);
    ByteVector der(static_cast<std::size_t>(std::max(size, 0)));
    unsigned char* next = der.data();
    if (size <= 0 || i2d_X509_PUBKEY(spki.get(), &next) != size) {
        return fail(Code::internal, "encode a public key: {}", crypto::openssl_error());
    }
    return der;
}

Result<std::string> reference_pem(const KeyReference& reference) {
    const auto path = std::filesystem::absolute(reference.socket).lexically_normal();
    const ByteVector der = encode_reference({path.string(), reference.key});
    const crypto::BioHandle out(BIO_new(BIO_s_mem()));
    if (!out || PEM_write_bio(out.get(), std::string(reference_label).c_str(), "", der.data(),
                              static_cast<long>(der.size())) <= 0) {
        return fail(Code::internal, "write a key reference: {}", crypto::openssl_error());
    }
    return crypto::text_of_bio(out.get());
}

namespace {

Result<Policy> policy_of(Algorithm algorithm, const UsePolicy& wanted) {
    if (wanted.platform_bound) {
        return fail(Code::input_unsupported,
                    "quoin-se has no platform of its own to bind a key to: a TPM has, with "
                    "host/keys/attestation_key.hpp");
    }
    if (wanted.message_prefix.size() > max_prefix_size) {
        return fail(Code::input_unsupported, "quoin-se takes prefixes of at most {} bytes",
                    max_prefix_size);
    }
    if (wanted.users.size() > max_uids) {
        return fail(Code::input_unsupported, "quoin-se takes {} users of a key beside its owner",
                    max_uids);
    }
    Policy policy;
    policy.uids.items = wanted.users;
    switch (info(algorithm).kind) {
        case Kind::signature:
            policy.operations = wanted.attestation_only ? may_attest : may_sign;
            break;
        case Kind::kem:
            policy.operations = may_decapsulate | may_derive;
            break;
        case Kind::agreement:
            policy.operations = may_agree | may_derive;
            break;
        case Kind::cipher:
            policy.operations = may_seal;
            break;
    }
    const bool for_signatures = wanted.attestation_only || !wanted.message_prefix.empty();
    if (for_signatures && info(algorithm).kind != Kind::signature) {
        return fail(Code::input_unsupported, "{} signs nothing", info(algorithm).name);
    }
    if (wanted.attestation_only && !wanted.message_prefix.empty()) {
        return fail(Code::input_unsupported, "a statement of quoin-se has its own prefix");
    }
    policy.max_uses = wanted.max_uses;
    policy.max_uses_per_minute = wanted.max_uses_per_minute;
    const Bytes prefix = bytes_of(wanted.message_prefix);
    policy.prefix.bytes.assign(prefix.begin(), prefix.end());
    return policy;
}

UsePolicy use_policy_of(const Policy& policy) {
    return {.attestation_only = (policy.operations & may_attest) != 0,
            .platform_bound = !policy.platform.quote_key.bytes.empty(),
            .max_uses = policy.max_uses,
            .max_uses_per_minute = policy.max_uses_per_minute,
            .message_prefix = std::string(text_of(policy.prefix.bytes)),
            .users = policy.uids.items};
}

class Store final : public SecurityProvider {
public:
    Store(std::unique_ptr<Client> client, const Uri& uri)
        : client_(std::move(client)),
          location_(uri.text()),
          socket_(uri.value_or("socket", "")),
          on_bus_(!uri.value_or("bus", "").empty()),
          seal_key_(fmt::format("_seal.{}", ::geteuid())) {}

    Description describe() const override {
        Description description{.kind = "se",
                                .location = location_,
                                .product = fmt::format("quoin-se {}", client_->version()),
                                .residence = Residence::separate_process,
                                .algorithms = {},
                                .sealed_by = "what quoin-se was started with",
                                .seals = true,
                                .counts = true,
                                .attests = true};
        // generate() takes all of the table; here are those whose signatures host/crypto verifies.
        for (const AlgorithmInfo& algorithm : se::algorithms()) {
            const bool makes_secrets =
                algorithm.kind == Kind::kem || algorithm.kind == Kind::agreement;
            if (makes_secrets || crypto::algorithm_by_name(algorithm.name)) {
                description.algorithms.emplace_back(algorithm.name);
            }
        }
        return description;
    }

    Result<void> generate(std::string_view name, std::string_view algorithm,
                          const UsePolicy& policy) override {
        QUOIN_CHECK(check_own_name(name));
        QUOIN_TRY(const Algorithm known, algorithm_by_name(algorithm));
        if (known == Algorithm::aes_256_gcm) {
            return fail(Code::input_unsupported, "a key store has no AES keys: use seal()");
        }
        QUOIN_TRY(const Policy wanted, policy_of(known, policy));
        QUOIN_CHECK(client_->generate(name, known, wanted));
        return {};
    }

    Result<std::vector<KeyInfo>> list() override {
        QUOIN_TRY(const std::vector<KeyEntry> entries, client_->list());
        std::vector<KeyInfo> keys;
        for (const KeyEntry& entry : entries) {
            if (entry.algorithm == Algorithm::aes_256_gcm) continue;
            keys.push_back({entry.name.text, std::string(info(entry.algorithm).name),
                            use_policy_of(entry.policy)});
        }
        return keys;
    }

    Result<ByteVector> public_key(std::string_view name) override {
        QUOIN_CHECK(check_own_name(name));
        QUOIN_TRY(const PublicKeyInfo key, client_->describe(name));
        return spki_of(info(key.entry.algorithm), key.public_key);
    }

    Result<std::string> key_reference(std::string_view name) override {
        QUOIN_CHECK(check_own_name(name));
        QUOIN_TRY(const Algorithm algorithm, algorithm_of(name));
        if (on_bus_) {
            return fail(Code::input_unsupported,
                        "{}: a reference names a socket, and this is a bus", location_);
        }
        if (info(algorithm).kind != Kind::signature) {
            return fail(Code::input_unsupported, "{}: OpenSSL programs use signature keys only",
                        name);
        }
        return reference_pem({socket_.string(), std::string(name)});
    }

    Result<void> remove(std::string_view name) override {
        QUOIN_CHECK(check_own_name(name));
        return client_->remove(name);
    }

    Result<void> zeroize() override { return client_->zeroize(); }

    Result<ByteVector> sign(std::string_view name, Bytes message, Bytes context) override {
        QUOIN_CHECK(check_name(name));
        return client_->sign(name, message, context);
    }

    Result<SecretBytes> decapsulate(std::string_view name, Bytes ciphertext) override {
        QUOIN_CHECK(check_name(name));
        QUOIN_TRY(const Algorithm algorithm, algorithm_of(name));
        if (info(algorithm).kind == Kind::agreement) {
            if (ciphertext.size() != 32) {
                return fail(Code::input_invalid, "an X25519 key has 32 bytes, this one {}",
                            ciphertext.size());
            }
            return secret_of(client_->agree({std::string(name)}, ciphertext.first<32>()));
        }
        return secret_of(client_->decapsulate({std::string(name)}, ciphertext));
    }

    Result<ByteVector> seal(Bytes secret) override {
        if (secret.empty() || secret.size() > max_sealed_secret) {
            return fail(Code::input_invalid, "a secret to seal has 1 to {} bytes, this one {}",
                        max_sealed_secret, secret.size());
        }
        auto sealed = client_->seal({seal_key_}, {}, secret);
        if (sealed || sealed.error().code != Code::input_not_found) return sealed;
        const auto made =
            client_->generate(seal_key_, Algorithm::aes_256_gcm, Policy{.operations = may_seal});
        // Another thread or process of this user may have made it just now.
        if (!made && made.error().code != Code::input_conflict) {
            return std::unexpected(made.error());
        }
        return client_->seal({seal_key_}, {}, secret);
    }

    Result<SecretBytes> unseal(Bytes blob) override {
        auto opened = client_->open_sealed({seal_key_}, {}, blob);
        if (opened) return SecretBytes(MutableBytes(*opened));
        const Code code = opened.error().code;
        if (code != Code::input_not_found && code != Code::input_invalid) {
            return std::unexpected(std::move(opened).error());
        }
        return fail(Code::integrity_mismatch, "{}: this is no blob of this store", location_);
    }

    Result<std::uint64_t> create_counter(std::string_view name) override {
        QUOIN_CHECK(check_name(name));
        return client_->create_counter(name);
    }
    Result<std::uint64_t> increment_counter(std::string_view name) override {
        QUOIN_CHECK(check_name(name));
        return client_->increment_counter(name);
    }
    Result<std::uint64_t> read_counter(std::string_view name) override {
        QUOIN_CHECK(check_name(name));
        return client_->read_counter(name);
    }

    Result<Attestation> attest(std::string_view name, Bytes nonce) override {
        QUOIN_CHECK(check_name(name));
        if (nonce.empty() || nonce.size() > keys::max_nonce_size) {
            return fail(Code::input_invalid, "a nonce has 1 to {} bytes, this one {}",
                        keys::max_nonce_size, nonce.size());
        }
        QUOIN_TRY(SignedStatement signed_statement, client_->attest(name, nonce));
        return Attestation{"quoin-se", std::move(signed_statement.statement),
                           std::move(signed_statement.signature)};
    }

private:
    Result<void> check_own_name(std::string_view name) const {
        QUOIN_CHECK(check_name(name));
        if (!name.starts_with("_seal.")) return {};
        return fail(Code::input_invalid, "\"{}\": names that begin with _seal. are not for keys",
                    name);
    }

    Result<Algorithm> algorithm_of(std::string_view name) {
        QUOIN_TRY(const PublicKeyInfo key, client_->describe(name));
        return key.entry.algorithm;
    }

    static Result<SecretBytes> secret_of(Result<SharedSecret> shared) {
        if (!shared) return std::unexpected(std::move(shared).error());
        return SecretBytes(shared->expose_to_fill());
    }

    std::unique_ptr<Client> client_;
    std::string location_;
    std::filesystem::path socket_;
    bool on_bus_;
    std::string seal_key_;
};

}  // namespace

Result<std::unique_ptr<Client>> connect(const Uri& uri) {
    QUOIN_CHECK(uri.check_options({"socket", "bus"}));
    QUOIN_TRY(std::string socket, uri.required("socket"));
    ClientOptions options{.socket = std::move(socket), .label = "keys"};
    const std::string bus = uri.value_or("bus", "");
    if (!bus.empty()) {
        QUOIN_TRY(options.bus, bus_profile(bus));
    }
    return Client::open(std::move(options));
}

Result<std::unique_ptr<SecurityProvider>> open(const Uri& uri) {
    QUOIN_TRY(auto client, connect(uri));
    const auto listed = client->list();
    if (!listed && listed.error().code == Code::state_wrong) {
        return fail(Code::input_not_found, "{}", listed.error().message);
    }
    if (!listed) return std::unexpected(listed.error());
    return std::make_unique<Store>(std::move(client), uri);
}

Result<std::unique_ptr<SecurityProvider>> create(const Uri& uri) {
    QUOIN_TRY(auto client, connect(uri));
    QUOIN_TRY(const std::vector<KeyEntry> keys, client->list());
    if (!keys.empty()) {
        return fail(Code::input_conflict, "{}: quoin-se holds {} keys already; they stay",
                    uri.text(), keys.size());
    }
    return std::make_unique<Store>(std::move(client), uri);
}

}  // namespace quoin::keys::se
