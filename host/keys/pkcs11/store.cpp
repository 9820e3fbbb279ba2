#include "host/keys/pkcs11/store.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <mutex>
#include <optional>

#include "host/crypto/library.hpp"
#include "host/keys/p256.hpp"
#include "host/keys/pkcs11/module.hpp"

namespace quoin::keys::pkcs11 {
namespace {

constexpr std::size_t nonce_size = 12;
constexpr std::size_t tag_size = 16;
constexpr std::string_view seal_domain = "quoin PKCS#11 store: sealed blob 1";

// CKA_EC_PARAMS: the object identifier prime256v1, and the name that PKCS#11 has for the other.
constexpr std::uint8_t p256_parameters[] = {0x06, 0x08, 0x2A, 0x86, 0x48,
                                            0xCE, 0x3D, 0x03, 0x01, 0x07};
constexpr std::uint8_t ed25519_parameters[] = {0x13, 0x0C, 'e', 'd', 'w', 'a', 'r',
                                               'd',  's',  '2', '5', '5', '1', '9'};

struct Kind {
    std::string_view name;
    CK_KEY_TYPE type;
    CK_MECHANISM_TYPE generate;
    CK_MECHANISM_TYPE sign;
    Bytes parameters;
};
const Kind kinds[] = {
    {"ECDSA-P256", CKK_EC, CKM_EC_KEY_PAIR_GEN, CKM_ECDSA, p256_parameters},
    {"Ed25519", CKK_EC_EDWARDS, CKM_EC_EDWARDS_KEY_PAIR_GEN, CKM_EDDSA, ed25519_parameters},
};

// PKCS#11 takes pointers to what it only reads.
template <class T>
CK_ATTRIBUTE value(CK_ATTRIBUTE_TYPE type, const T& content) {
    return {type, const_cast<T*>(&content), sizeof content};
}
CK_ATTRIBUTE bytes(CK_ATTRIBUTE_TYPE type, Bytes content) {
    return {type, const_cast<std::uint8_t*>(content.data()), content.size()};
}
CK_ATTRIBUTE text(CK_ATTRIBUTE_TYPE type, std::string_view content) {
    return bytes(type, bytes_of(content));
}

constexpr CK_BBOOL yes = CK_TRUE;
constexpr CK_BBOOL no = CK_FALSE;
constexpr CK_OBJECT_CLASS private_class = CKO_PRIVATE_KEY;
constexpr CK_OBJECT_CLASS public_class = CKO_PUBLIC_KEY;
constexpr CK_OBJECT_CLASS secret_class = CKO_SECRET_KEY;

class Store final : public SecurityProvider {
public:
    Store(Config config, std::shared_ptr<Module> module, Token token)
        : config_(std::move(config)), module_(std::move(module)), token_(std::move(token)) {}

    Description describe() const override;
    Result<void> generate(std::string_view name, std::string_view algorithm,
                          const UsePolicy& policy) override;
    Result<std::vector<KeyInfo>> list() override;
    Result<ByteVector> public_key(std::string_view name) override;
    Result<void> remove(std::string_view name) override;
    Result<void> zeroize() override;
    Result<ByteVector> sign(std::string_view name, Bytes message, Bytes context) override;
    Result<ByteVector> seal(Bytes secret) override;
    Result<SecretBytes> unseal(Bytes blob) override;

    // Finds the wrapping key, and remembers which it is.
    Result<void> recognise();
    Result<void> make_wrapping_key();

private:
    std::string id_prefix() const { return fmt::format("quoin:{}:", config_.store); }
    std::string key_id(std::string_view name) const {
        return fmt::format("{}key:{}", id_prefix(), name);
    }
    std::string seal_id() const { return id_prefix() + "seal"; }

    // With the mutex held, in a session of this process; once more if the first one was gone.
    template <class F>
    auto run(F work) -> decltype(work(std::declval<const Session&>())) {
        const std::scoped_lock lock(mutex_);
        for (const bool last : {false, true}) {
            QUOIN_CHECK(ensure_session());
            auto result = work(*session_);
            if (last || result || result.error().code != Code::resource_unavailable) return result;
            session_.reset();
        }
        return fail(Code::internal, "not reached");
    }
    // The same, on a store that is there.
    template <class F>
    auto run_alive(F work) -> decltype(work(std::declval<const Session&>())) {
        return run([&](const Session& session) -> decltype(work(session)) {
            QUOIN_CHECK(check_alive(session));
            return work(session);
        });
    }
    Result<void> ensure_session();
    Result<void> check_alive(const Session& session);

    Result<std::optional<CK_OBJECT_HANDLE>> find(const Session& session,
                                                 const CK_OBJECT_CLASS& type,
                                                 const std::string& id) const;
    Result<CK_OBJECT_HANDLE> find_secret(const Session& session, const CK_OBJECT_CLASS& type,
                                         const std::string& id) const;
    Result<CK_OBJECT_HANDLE> wrapping_key(const Session& session) const {
        return find_secret(session, secret_class, seal_id());
    }
    Result<const Kind*> kind_of(const Session& session, CK_OBJECT_HANDLE key) const;
    Result<std::vector<std::string>> names(const Session& session) const;
    Result<void> destroy_all(const Session& session, const CK_OBJECT_CLASS& type,
                             const std::string& id) const;

    Config config_;
    std::shared_ptr<Module> module_;
    Token token_;
    std::mutex mutex_;
    std::unique_ptr<Session> session_;
    std::optional<Error> refused_;  // of the PIN: this object does not try it again
    ByteVector mark_;  // the wrapping key's label: random, so that another one is noticed
    bool zeroized_ = false;
};

Description Store::describe() const {
    Description description{
        .kind = "pkcs11",
        .location =
            fmt::format("{}, token {}, store {}", config_.module, config_.token, config_.store),
        .product = token_.product,
        .residence = token_.hardware ? Residence::hardware : Residence::best_effort,
        .algorithms = {},
        .sealed_by = "the token, under its PIN",
        .seals = true};
    for (const Kind& kind : kinds) {
        if (token_.has(kind.generate) && token_.has(kind.sign)) {
            description.algorithms.emplace_back(kind.name);
        }
    }
    return description;
}

Result<void> Store::ensure_session() {
    if (session_ && session_->is_ours()) return {};
    if (refused_) return std::unexpected(*refused_);
    bool refused = false;
    auto opened = Session::open(module_, config_.token, config_.pin, &refused);
    if (!opened) {
        // The same PIN once more would be refused once more, and the token counts.
        if (refused) refused_ = opened.error();
        return std::unexpected(std::move(opened).error());
    }
    session_ = *std::move(opened);
    return {};
}

Result<void> Store::check_alive(const Session& session) {
    if (!zeroized_) {
        const auto key = wrapping_key(session);
        if (key) {
            QUOIN_TRY(const ByteVector label, session.attribute(*key, CKA_LABEL));
            if (label == mark_) return {};
        } else if (key.error().code != Code::input_not_found) {
            return std::unexpected(key.error());
        }
        zeroized_ = true;  // by somebody else; what is there now is another store
    }
    return fail(Code::state_wrong, "token {}: the key store {} was zeroized", config_.token,
                config_.store);
}

Result<void> Store::recognise() {
    return run([&](const Session& session) -> Result<void> {
        const auto key = wrapping_key(session);
        if (!key && key.error().code == Code::input_not_found) {
            return fail(Code::input_not_found,
                        "token {}: there is no key store {}, or it was zeroized; make one: quoin "
                        "keys create --store pkcs11:...",
                        config_.token, config_.store);
        }
        if (!key) return std::unexpected(key.error());
        QUOIN_TRY(mark_, session.attribute(*key, CKA_LABEL));
        return {};
    });
}

Result<void> Store::make_wrapping_key() {
    if (!token_.has(CKM_AES_GCM) || !token_.has(CKM_AES_KEY_GEN)) {
        return fail(Code::input_unsupported,
                    "token {}: it has no AES-GCM, so it cannot seal: use a token that has",
                    config_.token);
    }
    QUOIN_TRY(const std::string mark, crypto::random_hex(8));
    return run([&](const Session& session) -> Result<void> {
        QUOIN_TRY(const auto there, find(session, secret_class, seal_id()));
        if (there) {
            return fail(Code::input_conflict, "token {}: the store {} is there already",
                        config_.token, config_.store);
        }
        CK_MECHANISM mechanism{CKM_AES_KEY_GEN, nullptr, 0};
        const CK_ULONG size = 32;
        const std::string label = "quoin store " + mark;
        const std::string id = seal_id();
        CK_ATTRIBUTE form[] = {value(CKA_CLASS, secret_class), value(CKA_TOKEN, yes),
                               value(CKA_PRIVATE, yes),        value(CKA_SENSITIVE, yes),
                               value(CKA_EXTRACTABLE, no),     value(CKA_ENCRYPT, yes),
                               value(CKA_DECRYPT, yes),        value(CKA_VALUE_LEN, size),
                               text(CKA_LABEL, label),         text(CKA_ID, id)};
        CK_OBJECT_HANDLE made = CK_INVALID_HANDLE;
        const CK_RV code = session.calls().C_GenerateKey(session.handle(), &mechanism, form,
                                                         std::size(form), &made);
        if (code != CKR_OK) return failed(code, "making the wrapping key");
        return {};
    });
}

Result<std::optional<CK_OBJECT_HANDLE>> Store::find(const Session& session,
                                                    const CK_OBJECT_CLASS& type,
                                                    const std::string& id) const {
    QUOIN_TRY(const auto found,
              session.find({value(CKA_CLASS, type), value(CKA_TOKEN, yes), text(CKA_ID, id)}));
    if (found.empty()) return std::nullopt;
    if (found.size() > 1) {
        return fail(Code::integrity_mismatch,
                    "token {}: {} objects have the id {}: remove all but "
                    "one with the token's own tool",
                    config_.token, found.size(), id);
    }
    return found[0];
}

Result<CK_OBJECT_HANDLE> Store::find_secret(const Session& session, const CK_OBJECT_CLASS& type,
                                            const std::string& id) const {
    QUOIN_TRY(const auto found, find(session, type, id));
    if (!found) {
        return fail(Code::input_not_found, "token {}: there is no key {}", config_.token, id);
    }
    QUOIN_TRY(const bool sensitive, session.flag(*found, CKA_ALWAYS_SENSITIVE));
    QUOIN_TRY(const bool kept, session.flag(*found, CKA_NEVER_EXTRACTABLE));
    QUOIN_TRY(const bool local, session.flag(*found, CKA_LOCAL));
    if (!sensitive || !kept || !local) {
        return fail(Code::integrity_mismatch,
                    "token {}: the key {} was not made in the token, or could leave it: it is not "
                    "used",
                    config_.token, id);
    }
    return *found;
}

Result<const Kind*> Store::kind_of(const Session& session, CK_OBJECT_HANDLE key) const {
    CK_KEY_TYPE type = 0;
    QUOIN_TRY(const ByteVector raw, session.attribute(key, CKA_KEY_TYPE));
    if (raw.size() == sizeof type) {
        std::copy(raw.begin(), raw.end(), reinterpret_cast<std::uint8_t*>(&type));
        const auto* const found = std::ranges::find(kinds, type, &Kind::type);
        if (found != std::ranges::end(kinds)) return found;
    }
    return fail(Code::integrity_mismatch, "token {}: a key of this store is of another kind",
                config_.token);
}

Result<void> Store::generate(std::string_view name, std::string_view algorithm,
                             const UsePolicy& policy) {
    QUOIN_CHECK(check_name(name));
    const auto* const kind = std::ranges::find(kinds, algorithm, &Kind::name);
    if (kind == std::ranges::end(kinds) || !token_.has(kind->generate) || !token_.has(kind->sign)) {
        return unsupported(fmt::format("make keys of algorithm \"{}\": it has {}", algorithm,
                                       fmt::join(describe().algorithms, ", ")));
    }
    if (policy != UsePolicy()) return unsupported("keep to a policy: PKCS#11 has none");
    const std::string id = key_id(name);
    return run_alive([&](const Session& session) -> Result<void> {
        QUOIN_TRY(const auto there, find(session, private_class, id));
        if (there) {
            return fail(Code::input_conflict, "token {}: there is a key {}", config_.token, name);
        }
        // A public half alone is nobody's key, and two of them no key at all.
        QUOIN_CHECK(destroy_all(session, public_class, id));
        CK_MECHANISM mechanism{kind->generate, nullptr, 0};
        CK_ATTRIBUTE open[] = {value(CKA_TOKEN, yes), value(CKA_VERIFY, yes),
                               bytes(CKA_EC_PARAMS, kind->parameters), text(CKA_LABEL, name),
                               text(CKA_ID, id)};
        CK_ATTRIBUTE closed[] = {value(CKA_TOKEN, yes),     value(CKA_PRIVATE, yes),
                                 value(CKA_SENSITIVE, yes), value(CKA_EXTRACTABLE, no),
                                 value(CKA_SIGN, yes),      text(CKA_LABEL, name),
                                 text(CKA_ID, id)};
        CK_OBJECT_HANDLE handles[2]{};
        const CK_RV code =
            session.calls().C_GenerateKeyPair(session.handle(), &mechanism, open, std::size(open),
                                              closed, std::size(closed), &handles[0], &handles[1]);
        if (code != CKR_OK) return failed(code, fmt::format("making the key {}", name));
        return {};
    });
}

Result<std::vector<std::string>> Store::names(const Session& session) const {
    QUOIN_TRY(const auto all,
              session.find({value(CKA_CLASS, private_class), value(CKA_TOKEN, yes)}));
    std::vector<std::string> found;
    const std::string prefix = key_id("");
    for (const CK_OBJECT_HANDLE key : all) {
        QUOIN_TRY(const ByteVector id, session.attribute(key, CKA_ID));
        const std::string_view known = text_of(id);
        if (known.starts_with(prefix)) found.emplace_back(known.substr(prefix.size()));
    }
    std::ranges::sort(found);
    return found;
}

Result<std::vector<KeyInfo>> Store::list() {
    return run_alive([&](const Session& session) -> Result<std::vector<KeyInfo>> {
        QUOIN_TRY(const auto found, names(session));
        std::vector<KeyInfo> all;
        for (const std::string& name : found) {
            QUOIN_TRY(const auto key, find_secret(session, private_class, key_id(name)));
            QUOIN_TRY(const Kind* const kind, kind_of(session, key));
            all.push_back({name, std::string(kind->name), {}});
        }
        return all;
    });
}

Result<ByteVector> Store::public_key(std::string_view name) {
    QUOIN_CHECK(check_name(name));
    return run_alive([&](const Session& session) -> Result<ByteVector> {
        const std::string id = key_id(name);
        QUOIN_CHECK(find_secret(session, private_class, id));
        QUOIN_TRY(const auto found, find(session, public_class, id));
        if (!found) {
            return fail(Code::integrity_mismatch, "token {}: the public half of {} was removed",
                        config_.token, name);
        }
        QUOIN_TRY(const Kind* const kind, kind_of(session, *found));
        QUOIN_TRY(const ByteVector encoded, session.attribute(*found, CKA_EC_POINT));
        // DER OCTET STRING of a short length, around the point.
        Bytes point = encoded;
        if (point.size() > 2 && point[0] == 0x04 && point[1] == point.size() - 2) {
            point = point.subspan(2);
        }
        if (kind->type == CKK_EC) return p256::spki_of(point);
        EVP_PKEY* key = EVP_PKEY_new_raw_public_key_ex(crypto::library(), "ED25519", nullptr,
                                                       point.data(), point.size());
        if (key == nullptr) {
            return fail(Code::integrity_mismatch, "token {}: {} is no Ed25519 key: {}",
                        config_.token, name, crypto::openssl_error());
        }
        return crypto::PublicKey(key).spki_der();
    });
}

Result<void> Store::destroy_all(const Session& session, const CK_OBJECT_CLASS& type,
                                const std::string& id) const {
    QUOIN_TRY(const auto objects,
              session.find({value(CKA_CLASS, type), value(CKA_TOKEN, yes), text(CKA_ID, id)}));
    for (const CK_OBJECT_HANDLE object : objects) QUOIN_CHECK(session.destroy(object));
    return {};
}

// The private half last: until it is gone the key is there, and this can be done again.
Result<void> Store::remove(std::string_view name) {
    QUOIN_CHECK(check_name(name));
    return run_alive([&](const Session& session) -> Result<void> {
        const std::string id = key_id(name);
        QUOIN_TRY(const auto secret, find(session, private_class, id));
        if (!secret) {
            return fail(Code::input_not_found, "token {}: there is no key {}", config_.token, name);
        }
        QUOIN_CHECK(destroy_all(session, public_class, id));
        return session.destroy(*secret);
    });
}

// The wrapping key last: until it is gone the store is one, and this can be done again.
Result<void> Store::zeroize() {
    return run_alive([&](const Session& session) -> Result<void> {
        QUOIN_TRY(const auto found, names(session));
        for (const std::string& name : found) {
            QUOIN_CHECK(destroy_all(session, public_class, key_id(name)));
            QUOIN_CHECK(destroy_all(session, private_class, key_id(name)));
        }
        QUOIN_TRY(const auto seal, find(session, secret_class, seal_id()));
        if (seal) QUOIN_CHECK(session.destroy(*seal));
        zeroized_ = true;
        return {};
    });
}

Result<ByteVector> Store::sign(std::string_view name, Bytes message, Bytes context) {
    QUOIN_CHECK(check_name(name));
    if (!context.empty() || message.size() > max_message_size) {
        return fail(Code::input_invalid,
                    "the token's keys take no context, and messages of at most {} bytes",
                    max_message_size);
    }
    QUOIN_TRY(const crypto::Sha256Digest hash, crypto::sha256(message));
    return run_alive([&](const Session& session) -> Result<ByteVector> {
        QUOIN_TRY(const auto key, find_secret(session, private_class, key_id(name)));
        QUOIN_TRY(const Kind* const kind, kind_of(session, key));
        CK_MECHANISM mechanism{kind->sign, nullptr, 0};
        CK_RV code = session.calls().C_SignInit(session.handle(), &mechanism, key);
        if (code != CKR_OK) return failed(code, fmt::format("signing with {}", name));
        // CKM_ECDSA signs a digest, CKM_EDDSA the message.
        const Bytes input = kind->type == CKK_EC ? Bytes(hash) : message;
        std::uint8_t nothing = 0;  // SoftHSM takes no null pointer, not even for no bytes
        ByteVector signature(64);
        CK_ULONG size = signature.size();
        code = session.calls().C_Sign(
            session.handle(), input.empty() ? &nothing : const_cast<std::uint8_t*>(input.data()),
            input.size(), signature.data(), &size);
        if (code != CKR_OK) return failed(code, fmt::format("signing with {}", name));
        if (size != signature.size()) {
            return fail(Code::internal, "the token's signature has {} bytes", size);
        }
        if (kind->type != CKK_EC) return signature;
        return p256::der_of(Bytes(signature).first(32), Bytes(signature).last(32));
    });
}

struct Gcm {
    explicit Gcm(Bytes nonce) {
        parameters.pIv = const_cast<std::uint8_t*>(nonce.data());
        parameters.ulIvLen = nonce.size();
        parameters.ulIvBits = 8 * nonce.size();
        parameters.pAAD = const_cast<std::uint8_t*>(bytes_of(seal_domain).data());
        parameters.ulAADLen = seal_domain.size();
        parameters.ulTagBits = 8 * tag_size;
    }
    CK_GCM_PARAMS parameters{};
    CK_MECHANISM mechanism{CKM_AES_GCM, &parameters, sizeof parameters};
};

Result<ByteVector> Store::seal(Bytes secret) {
    if (secret.empty() || secret.size() > max_sealed_secret) {
        return fail(Code::input_invalid, "{} bytes cannot be sealed: 1 to {} can", secret.size(),
                    max_sealed_secret);
    }
    ByteVector blob(nonce_size + secret.size() + tag_size);
    QUOIN_CHECK(crypto::random_bytes(MutableBytes(blob).first(nonce_size)));
    return run_alive([&](const Session& session) -> Result<ByteVector> {
        QUOIN_TRY(const auto key, wrapping_key(session));
        Gcm gcm{Bytes(blob).first(nonce_size)};
        CK_RV code = session.calls().C_EncryptInit(session.handle(), &gcm.mechanism, key);
        if (code != CKR_OK) return failed(code, "sealing");
        CK_ULONG size = secret.size() + tag_size;
        code = session.calls().C_Encrypt(session.handle(), const_cast<std::uint8_t*>(secret.data()),
                                         secret.size(), blob.data() + nonce_size, &size);
        if (code != CKR_OK) return failed(code, "sealing");
        if (size != secret.size() + tag_size) {
            return fail(Code::internal, "sealing: the token gave {} bytes", size);
        }
        return blob;
    });
}

Result<SecretBytes> Store::unseal(Bytes blob) {
    return run_alive([&](const Session& session) -> Result<SecretBytes> {
        if (blob.size() <= nonce_size + tag_size ||
            blob.size() > nonce_size + max_sealed_secret + tag_size) {
            return fail(Code::integrity_mismatch, "{} bytes are no sealed blob", blob.size());
        }
        QUOIN_TRY(const auto key, wrapping_key(session));
        Gcm gcm{blob.first(nonce_size)};
        CK_RV code = session.calls().C_DecryptInit(session.handle(), &gcm.mechanism, key);
        if (code != CKR_OK) return failed(code, "unsealing");
        const Bytes closed = blob.subspan(nonce_size);
        std::uint8_t opened[max_sealed_secret + tag_size];
        CK_ULONG size = sizeof opened;
        code = session.calls().C_Decrypt(session.handle(), const_cast<std::uint8_t*>(closed.data()),
                                         closed.size(), opened, &size);
        // Modules have different numbers for a tag that does not fit.
        if (code == CKR_GENERAL_ERROR || code == CKR_FUNCTION_FAILED) {
            code = CKR_ENCRYPTED_DATA_INVALID;
        }
        if (code != CKR_OK) return failed(code, "unsealing");
        if (size != closed.size() - tag_size) {
            core::ct::wipe(opened);
            return fail(Code::internal, "unsealing: the token gave {} bytes", size);
        }
        return SecretBytes(MutableBytes(opened, size));
    });
}

Result<std::unique_ptr<Store>> reach(Config config) {
    QUOIN_CHECK(check_name(config.store));
    QUOIN_TRY(auto module, Module::load(config.module));
    QUOIN_TRY(Token token, find_token(*module, config.token));
    return std::make_unique<Store>(std::move(config), std::move(module), std::move(token));
}

}  // namespace

Result<Config> config_of(const Uri& uri) {
    QUOIN_CHECK(uri.check_options({"module", "token", "pin", "store"}));
    Config config;
    QUOIN_TRY(config.module, uri.required("module"));
    QUOIN_TRY(config.token, uri.required("token"));
    config.store = uri.value_or("store", config.store);
    QUOIN_TRY(config.pin, read_secret_file(uri.value_or("pin", "")));
    return config;
}

Result<std::unique_ptr<SecurityProvider>> create(Config config) {
    QUOIN_TRY(auto store, reach(std::move(config)));
    QUOIN_CHECK(store->make_wrapping_key());
    QUOIN_CHECK(store->recognise());
    return store;
}

Result<std::unique_ptr<SecurityProvider>> open(Config config) {
    QUOIN_TRY(auto store, reach(std::move(config)));
    QUOIN_CHECK(store->recognise());
    return store;
}

Result<std::unique_ptr<SecurityProvider>> create(const Uri& uri) {
    QUOIN_TRY(Config config, config_of(uri));
    return create(std::move(config));
}

Result<std::unique_ptr<SecurityProvider>> open(const Uri& uri) {
    QUOIN_TRY(Config config, config_of(uri));
    return open(std::move(config));
}

}  // namespace quoin::keys::pkcs11
