// Composite keys written: provider-encoder(7). DER and PEM of PrivateKeyInfo, of
// EncryptedPrivateKeyInfo and of SubjectPublicKeyInfo, and text.
#include <openssl/pem.h>

#include "provider/bio.hpp"
#include "provider/operations.hpp"
#include "provider/parameters.hpp"
#include "provider/signature_encoding.hpp"
#include "provider/signature_key.hpp"

namespace quoin::provider {
namespace {

enum class Output { der, pem };
enum class Structure { private_key, encrypted, public_key };

constexpr std::size_t passphrase_size_max = 1024;

struct Encoding {
    const ProviderContext& provider;
    bool is_encrypted = false;  // also when the cipher asked for could not be had: then none
    Owned<EVP_CIPHER> cipher = nullptr;
};

void* create(void* provider_context) noexcept {
    return give_away<Encoding>(context_of(provider_context));
}

void destroy(void* encoding) noexcept { take_back<Encoding>(encoding); }

const OSSL_PARAM* settable(void*) noexcept {
    static const OSSL_PARAM parameters[] = {
        OSSL_PARAM_utf8_string(OSSL_ENCODER_PARAM_CIPHER, nullptr, 0),
        OSSL_PARAM_utf8_string(OSSL_ENCODER_PARAM_PROPERTIES, nullptr, 0), OSSL_PARAM_END};
    return parameters;
}

int set(void* of, const OSSL_PARAM parameters[]) noexcept {
    auto& encoding = *static_cast<Encoding*>(of);
    const OSSL_PARAM* const name = OSSL_PARAM_locate_const(parameters, OSSL_ENCODER_PARAM_CIPHER);
    if (name == nullptr) return 1;
    const OSSL_PARAM* const query =
        OSSL_PARAM_locate_const(parameters, OSSL_ENCODER_PARAM_PROPERTIES);
    const char* cipher = nullptr;
    const char* property_query = nullptr;
    if (OSSL_PARAM_get_utf8_string_ptr(name, &cipher) != 1 ||
        (query != nullptr && OSSL_PARAM_get_utf8_string_ptr(query, &property_query) != 1)) {
        return 0;
    }
    encoding.cipher.reset();
    encoding.is_encrypted = cipher != nullptr;  // null takes an earlier cipher back
    if (!encoding.is_encrypted) return 1;
    encoding.cipher.reset(
        EVP_CIPHER_fetch(encoding.provider.library.get(), cipher, property_query));
    return encoding.cipher != nullptr ? 1 : 0;
}

template <int part>
int selects(void*, int selection) noexcept {
    // What is asked for first decides: a private key includes the public one.
    if ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0) {
        return part == OSSL_KEYMGMT_SELECT_PRIVATE_KEY ? 1 : 0;
    }
    if ((selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY) != 0) {
        return part == OSSL_KEYMGMT_SELECT_PUBLIC_KEY ? 1 : 0;
    }
    return selection == 0 ? 1 : 0;
}

int selects_any(void*, int) noexcept { return 1; }

// Only what the passphrase callback wrote; wiped.
struct Passphrase {
    std::array<char, passphrase_size_max> text{};
    std::size_t size = 0;
    Passphrase() = default;
    Passphrase(const Passphrase&) = delete;
    Passphrase& operator=(const Passphrase&) = delete;
    ~Passphrase() { OPENSSL_cleanse(text.data(), text.size()); }
};

template <Output output>
int write_encrypted(const Encoding& encoding, BIO* out, Bytes info, OSSL_PASSPHRASE_CALLBACK* ask,
                    void* asker) {
    if (encoding.cipher == nullptr) {
        return refuse(PROV_R_MISSING_CIPHER, "no cipher to encrypt the key with");
    }
    Passphrase passphrase;
    if (ask == nullptr || ask(passphrase.text.data(), passphrase.text.size(), &passphrase.size,
                              nullptr, asker) != 1) {
        return refuse(PROV_R_UNABLE_TO_GET_PASSPHRASE, "no passphrase for the private key");
    }
    const unsigned char* at = info.data();
    const Owned<PKCS8_PRIV_KEY_INFO> plain(
        d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(info.size())));
    if (plain == nullptr) return 0;
    // -1: PBES2 with the cipher, PBKDF2 with its defaults.
    const Owned<X509_SIG> encrypted(PKCS8_encrypt_ex(
        -1, encoding.cipher.get(), passphrase.text.data(), static_cast<int>(passphrase.size),
        nullptr, 0, 0, plain.get(), encoding.provider.library.get(), nullptr));
    if (encrypted == nullptr) return 0;
    if constexpr (output == Output::der) return i2d_PKCS8_bio(out, encrypted.get());
    return PEM_write_bio_PKCS8(out, encrypted.get());
}

template <Output output>
int write_plain(BIO* out, const char* label, Bytes der) {
    const auto size = static_cast<int>(der.size());
    if constexpr (output == Output::der) return BIO_write(out, der.data(), size) == size ? 1 : 0;
    return PEM_write_bio(out, label, "", der.data(), size) > 0 ? 1 : 0;
}

template <class Form, Output output, Structure structure>
int encode(void* context, OSSL_CORE_BIO* core_out, const void* raw, const OSSL_PARAM foreign[], int,
           OSSL_PASSPHRASE_CALLBACK* ask, void* asker) noexcept {
    if (raw == nullptr || foreign != nullptr) {
        return refuse(ERR_R_PASSED_INVALID_ARGUMENT, "only the provider's own keys are encoded");
    }
    const auto& key = *static_cast<const SignatureKey<Form>*>(raw);
    const auto& encoding = *static_cast<const Encoding*>(context);
    const Owned<BIO> out = open(encoding.provider, core_out);
    if (out == nullptr) return 0;
    if constexpr (structure == Structure::public_key) {
        if (!key.has_public()) return refuse(PROV_R_NOT_A_PUBLIC_KEY, "an empty key");
        std::array<std::uint8_t, public_head<Form>.size() + Form::public_key_size> der{};
        std::ranges::copy(public_head<Form>, der.begin());
        std::ranges::copy(key.public_key(), der.begin() + public_head<Form>.size());
        return write_plain<output>(out.get(), "PUBLIC KEY", der);
    } else {
        if (!key.holds_private()) {
            return refuse(PROV_R_NOT_A_PRIVATE_KEY, "a public key, or one that stays in its store");
        }
        core::Secret<struct EncodedTag, private_head<Form>.size() + Form::seed_size> der;
        std::ranges::copy(private_head<Form>, der.expose_to_fill().begin());
        std::ranges::copy(key.seed(), der.expose_to_fill().begin() + private_head<Form>.size());
        if (structure == Structure::encrypted || encoding.is_encrypted) {
            return write_encrypted<output>(encoding, out.get(), der.expose(), ask, asker);
        }
        return write_plain<output>(out.get(), "PRIVATE KEY", der.expose());
    }
}

bool print_bytes(BIO* out, const char* label, Bytes bytes) {
    constexpr std::size_t width = 15;
    if (BIO_printf(out, "%s:", label) <= 0) return false;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const char* const before = i % width == 0 ? "\n    " : "";
        const char* const after = i + 1 == bytes.size() ? "\n" : ":";
        if (BIO_printf(out, "%s%02x%s", before, bytes[i], after) <= 0) return false;
    }
    return true;
}

template <class Form>
int encode_text(void* context, OSSL_CORE_BIO* core_out, const void* raw, const OSSL_PARAM foreign[],
                int selection, OSSL_PASSPHRASE_CALLBACK*, void*) noexcept {
    if (raw == nullptr || foreign != nullptr) return 0;
    const auto& key = *static_cast<const SignatureKey<Form>*>(raw);
    const Owned<BIO> out = open(static_cast<const Encoding*>(context)->provider, core_out);
    if (out == nullptr) return 0;
    const bool with_private =
        (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0 && key.remote() == nullptr;
    if (with_private && !key.has_private()) {
        return refuse(PROV_R_NOT_A_PRIVATE_KEY, "a public key");
    }
    if (!key.has_public()) return refuse(PROV_R_NOT_A_PUBLIC_KEY, "an empty key");
    constexpr std::size_t lattice = Form::Set::public_key_size;
    bool written = BIO_printf(out.get(), "%s %s-Key:\n", Form::row.name,
                              with_private ? "Private" : "Public") > 0;
    if (with_private) {
        written = written &&
                  print_bytes(out.get(), "ML-DSA seed", key.seed().template first<32>()) &&
                  print_bytes(out.get(), "Ed25519 seed", key.seed().template last<32>());
    }
    return written &&
                   print_bytes(out.get(), "ML-DSA pub",
                               key.public_key().template first<lattice>()) &&
                   print_bytes(out.get(), "Ed25519 pub", key.public_key().template last<32>())
               ? 1
               : 0;
}

template <class Form, Output output, Structure structure>
const OSSL_DISPATCH functions[] = {
    QUOIN_ENTRY(ENCODER_NEWCTX, encoder_newctx, create),
    QUOIN_ENTRY(ENCODER_FREECTX, encoder_freectx, destroy),
    QUOIN_ENTRY(ENCODER_SET_CTX_PARAMS, encoder_set_ctx_params, set),
    QUOIN_ENTRY(ENCODER_SETTABLE_CTX_PARAMS, encoder_settable_ctx_params, settable),
    QUOIN_ENTRY(ENCODER_DOES_SELECTION, encoder_does_selection,
                selects<structure == Structure::public_key ? OSSL_KEYMGMT_SELECT_PUBLIC_KEY
                                                           : OSSL_KEYMGMT_SELECT_PRIVATE_KEY>),
    QUOIN_ENTRY(ENCODER_ENCODE, encoder_encode, (encode<Form, output, structure>)),
    OSSL_DISPATCH_END};

template <class Form>
const OSSL_DISPATCH text_functions[] = {
    QUOIN_ENTRY(ENCODER_NEWCTX, encoder_newctx, create),
    QUOIN_ENTRY(ENCODER_FREECTX, encoder_freectx, destroy),
    QUOIN_ENTRY(ENCODER_DOES_SELECTION, encoder_does_selection, selects_any),
    QUOIN_ENTRY(ENCODER_ENCODE, encoder_encode, encode_text<Form>), OSSL_DISPATCH_END};

template <class Form>
constexpr std::array<OSSL_ALGORITHM, 7> entries = {{
    {Form::row.names, "provider=quoin,output=der,structure=PrivateKeyInfo",
     functions<Form, Output::der, Structure::private_key>, Form::row.name},
    {Form::row.names, "provider=quoin,output=pem,structure=PrivateKeyInfo",
     functions<Form, Output::pem, Structure::private_key>, Form::row.name},
    {Form::row.names, "provider=quoin,output=der,structure=EncryptedPrivateKeyInfo",
     functions<Form, Output::der, Structure::encrypted>, Form::row.name},
    {Form::row.names, "provider=quoin,output=pem,structure=EncryptedPrivateKeyInfo",
     functions<Form, Output::pem, Structure::encrypted>, Form::row.name},
    {Form::row.names, "provider=quoin,output=der,structure=SubjectPublicKeyInfo",
     functions<Form, Output::der, Structure::public_key>, Form::row.name},
    {Form::row.names, "provider=quoin,output=pem,structure=SubjectPublicKeyInfo",
     functions<Form, Output::pem, Structure::public_key>, Form::row.name},
    {Form::row.names, "provider=quoin,output=text", text_functions<Form>, Form::row.name},
}};

}  // namespace

const std::array<OSSL_ALGORITHM, 7> composite44_encoders =
    entries<Composite<core::hybrid::MlDsa44Ed25519>>;
const std::array<OSSL_ALGORITHM, 7> composite65_encoders =
    entries<Composite<core::hybrid::MlDsa65Ed25519>>;

}  // namespace quoin::provider
