#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/x509.h>

#include <utility>

#include "host/crypto/approved.hpp"
#include "host/crypto/crypto.hpp"
#include "host/crypto/handles.hpp"
#include "host/crypto/library.hpp"
#include "host/crypto/pkcs8.hpp"
#include "host/crypto/selftest/module.hpp"
#include "host/crypto/selftest/module_parts.hpp"
#include "host/crypto/selftest/pair.hpp"
#include "host/files/files.hpp"

namespace quoin::crypto {
namespace {

constexpr std::string_view reference_label = "QUOIN KEY REFERENCE";
constexpr std::size_t max_context_size = 255;  // FIPS 204, Algorithm 2; FIPS 205, Algorithm 22

Result<Algorithm> algorithm_of(EVP_PKEY* key) {
    for (const AlgorithmInfo& row : algorithms()) {
        if (EVP_PKEY_is_a(key, row.openssl_name) != 1) continue;
        if (row.algorithm == Algorithm::ecdsa_p256) {
            char group[64];
            if (EVP_PKEY_get_group_name(key, group, sizeof group, nullptr) != 1 ||
                std::string_view(group) != SN_X9_62_prime256v1) {
                return fail(Code::input_invalid, "elliptic-curve key is not on P-256");
            }
        }
        return row.algorithm;
    }
    const char* name = EVP_PKEY_get0_type_name(key);
    return fail(Code::input_invalid, "keys of type {} are not used here",
                name != nullptr ? name : "unknown");
}

bool takes_context(Algorithm algorithm) { return info(algorithm).post_quantum; }

// The message digest of the signature; null where the algorithm brings its own.
const char* digest_name(Algorithm algorithm) {
    return algorithm == Algorithm::ecdsa_p256 ? "SHA256" : nullptr;
}

Result<void> check_context(Algorithm algorithm, Bytes context) {
    if (context.size() > max_context_size) {
        return fail(Code::input_invalid, "context of {} bytes is longer than {}", context.size(),
                    max_context_size);
    }
    if (!context.empty() && !takes_context(algorithm)) {
        return fail(Code::input_invalid, "{} takes no context", info(algorithm).name);
    }
    return {};
}

struct ContextParameters {
    explicit ContextParameters(Bytes context)
        : list{context.empty() ? OSSL_PARAM_construct_end()
                               : OSSL_PARAM_construct_octet_string(
                                     OSSL_SIGNATURE_PARAM_CONTEXT_STRING,
                                     const_cast<std::uint8_t*>(context.data()), context.size()),
               OSSL_PARAM_construct_end()} {}
    OSSL_PARAM list[2];
};

// SubjectPublicKeyInfo of an algorithm whose identifier has no parameters. OpenSSL's own encoder
// takes 0.1 ms: it is sought among all of all providers for each key.
Result<ByteVector> encode_without_parameters(EVP_PKEY* key, const AlgorithmInfo& row) {
    const auto failure = [&] {
        return fail(Code::internal, "cannot encode a {} key: {}", row.name, openssl_error());
    };
    std::size_t size = row.public_key_size;
    const Handle<X509_PUBKEY, X509_PUBKEY_free> encoding(X509_PUBKEY_new());
    auto* raw = static_cast<unsigned char*>(OPENSSL_malloc(size));
    ASN1_OBJECT* const oid = OBJ_txt2obj(std::string(row.oid).c_str(), 1);
    if (!encoding || raw == nullptr || oid == nullptr ||
        EVP_PKEY_get_raw_public_key(key, raw, &size) != 1 ||
        X509_PUBKEY_set0_param(encoding.get(), oid, V_ASN1_UNDEF, nullptr, raw,
                               static_cast<int>(size)) != 1) {
        OPENSSL_free(raw);
        ASN1_OBJECT_free(oid);
        return failure();
    }
    unsigned char* encoded = nullptr;
    const int length = i2d_X509_PUBKEY(encoding.get(), &encoded);
    if (length <= 0) return failure();
    ByteVector der(encoded, encoded + length);
    OPENSSL_free(encoded);
    return der;
}

// Nobody is asked for one.
int no_passphrase(char*, int, int, void*) { return -1; }

}  // namespace

void KeyDeleter::operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }

Result<PublicKey> PublicKey::from_spki_der(Bytes der) {
    QUOIN_CHECK(operational());
    if (der.size() > max_key_size) {
        return fail(Code::peer_oversize, "public key of {} bytes is longer than {}", der.size(),
                    max_key_size);
    }
    const unsigned char* next = der.data();
    EVP_PKEY* parsed =
        d2i_PUBKEY_ex(nullptr, &next, static_cast<long>(der.size()), library(), nullptr);
    if (parsed == nullptr) {
        return fail(Code::peer_malformed, "public key cannot be parsed: {}", openssl_error());
    }
    PublicKey key(parsed);
    if (next != der.data() + der.size()) {
        return fail(Code::peer_malformed, "public key has bytes behind its end");
    }
    QUOIN_CHECK(key.algorithm());
    return key;
}

Result<Algorithm> PublicKey::algorithm() const { return algorithm_of(key_.get()); }

Result<ByteVector> PublicKey::spki_der() const {
    QUOIN_TRY(const Algorithm algorithm, this->algorithm());
    if (algorithm != Algorithm::ecdsa_p256) {
        return encode_without_parameters(key_.get(), info(algorithm));
    }
    unsigned char* encoded = nullptr;
    const int size = i2d_PUBKEY(key_.get(), &encoded);
    if (size <= 0) return fail(Code::internal, "cannot encode a public key: {}", openssl_error());
    ByteVector der(encoded, encoded + size);
    OPENSSL_free(encoded);
    return der;
}

Result<void> PublicKey::verify(Bytes message, Bytes signature, Bytes context) const {
    QUOIN_CHECK(operational());
    QUOIN_TRY(const Algorithm algorithm, this->algorithm());
    QUOIN_CHECK(check_approved(info(algorithm).name));
    QUOIN_CHECK(check_context(algorithm, context));
    const DigestContextHandle state(EVP_MD_CTX_new());
    const ContextParameters parameters(context);
    if (!state || EVP_DigestVerifyInit_ex(state.get(), nullptr, digest_name(algorithm), library(),
                                          nullptr, key_.get(), parameters.list) != 1) {
        return fail(Code::internal, "cannot verify {}: {}", info(algorithm).name, openssl_error());
    }
    if (EVP_DigestVerify(state.get(), signature.data(), signature.size(), message.data(),
                         message.size()) != 1) {
        openssl_error();  // wrong length and wrong value are the same thing to the caller
        return fail(Code::integrity_signature, "{} signature is wrong", info(algorithm).name);
    }
    return {};
}

Result<PrivateKey> PrivateKey::generate(Algorithm algorithm) {
    QUOIN_CHECK(check_approved(info(algorithm).name));
    QUOIN_CHECK(before_signing(info(algorithm).name));
    EVP_PKEY* key = algorithm == Algorithm::ecdsa_p256
                        ? EVP_PKEY_Q_keygen(library(), nullptr, "EC", SN_X9_62_prime256v1)
                        : EVP_PKEY_Q_keygen(library(), nullptr, info(algorithm).openssl_name);
    if (key == nullptr) {
        return fail(Code::internal, "cannot make a {} key: {}", info(algorithm).name,
                    openssl_error());
    }
    PrivateKey made(key);
    QUOIN_CHECK(selftest::check_pair(made));
    return made;
}

Result<PrivateKey> PrivateKey::from_encrypted_pem(std::string_view pem,
                                                  const Passphrase& passphrase) {
    QUOIN_TRY(const ClearHandle clear, decrypt_pem(pem, passphrase));
    EVP_PKEY* parsed = EVP_PKCS82PKEY_ex(clear.get(), library(), nullptr);
    if (parsed == nullptr) {
        return fail(Code::input_invalid, "private key cannot be parsed: {}", openssl_error());
    }
    PrivateKey key(parsed);
    QUOIN_CHECK(key.algorithm());
    return key;
}

Result<PrivateKey> PrivateKey::from_reference_pem(std::string_view pem) {
    QUOIN_TRY(const std::string_view label, label_of_pem(pem));
    if (label != reference_label) {
        return fail(Code::input_invalid, "a PEM of {}, not of {}", label, reference_label);
    }
    ERR_clear_error();
    const BioHandle bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    EVP_PKEY* found = bio ? PEM_read_bio_PrivateKey_ex(bio.get(), nullptr, no_passphrase, nullptr,
                                                       library(), nullptr)
                          : nullptr;
    if (found == nullptr) {
        return fail(Code::resource_unavailable, "the key cannot be reached in its store: {}",
                    first_reason());
    }
    PrivateKey key(found);
    QUOIN_CHECK(key.algorithm());
    if (!key.is_in_store()) {
        return fail(Code::input_invalid, "the key reference gave a key that is in no store");
    }
    key.reference_ = pem;
    return key;
}

Result<PrivateKey> PrivateKey::load(const std::filesystem::path& file,
                                    const Passphrase& passphrase) {
    QUOIN_TRY(const std::string pem, files::read(file, max_key_size));
    auto key = label_of_pem(pem).value_or("") == reference_label
                   ? from_reference_pem(pem)
                   : from_encrypted_pem(pem, passphrase);
    if (!key) return fail(key.error().code, "{}: {}", file.string(), key.error().message);
    return key;
}

bool PrivateKey::is_in_store() const {
    const OSSL_PROVIDER* const provider = EVP_PKEY_get0_provider(key_.get());
    if (provider == nullptr || OSSL_PROVIDER_get0_name(provider) != std::string_view("quoin")) {
        return false;
    }
    std::size_t size = 0;
    ERR_set_mark();
    const bool is_here = EVP_PKEY_get_octet_string_param(key_.get(), OSSL_PKEY_PARAM_PRIV_KEY,
                                                         nullptr, 0, &size) == 1;
    ERR_pop_to_mark();
    return !is_here;
}

Result<std::string> PrivateKey::to_encrypted_pem(const Passphrase& passphrase, bool slow) const {
    if (!reference_.empty()) return reference_;
    const ClearHandle clear(EVP_PKEY2PKCS8(key_.get()));
    if (!clear) return fail(Code::internal, "cannot encode the key: {}", openssl_error());
    return encrypt_to_pem(clear.get(), passphrase, slow);
}

Result<std::string> PrivateKey::danger_to_clear_pem() const {
    if (!reference_.empty()) return reference_;
    const BioHandle bio(BIO_new(BIO_s_secmem()));
    if (!bio || PEM_write_bio_PKCS8PrivateKey(bio.get(), key_.get(), nullptr, nullptr, 0, nullptr,
                                              nullptr) != 1) {
        return fail(Code::internal, "cannot write the key: {}", openssl_error());
    }
    return text_of_bio(bio.get());
}

Result<Algorithm> PrivateKey::algorithm() const { return algorithm_of(key_.get()); }

Result<PublicKey> PrivateKey::public_key() const {
    unsigned char* encoded = nullptr;
    const int size = i2d_PUBKEY(key_.get(), &encoded);
    if (size <= 0) return fail(Code::internal, "cannot encode a public key: {}", openssl_error());
    auto key = PublicKey::from_spki_der({encoded, static_cast<std::size_t>(size)});
    OPENSSL_free(encoded);
    return key;
}

Result<ByteVector> PrivateKey::sign(Bytes message, Bytes context) const {
    QUOIN_CHECK(operational());
    QUOIN_TRY(const Algorithm algorithm, this->algorithm());
    QUOIN_CHECK(check_approved(info(algorithm).name));
    QUOIN_CHECK(before_signing(info(algorithm).name));
    QUOIN_CHECK(check_context(algorithm, context));
    const DigestContextHandle state(EVP_MD_CTX_new());
    const ContextParameters parameters(context);
    ByteVector signature(info(algorithm).signature_size);
    std::size_t size = signature.size();
    if (!state ||
        EVP_DigestSignInit_ex(state.get(), nullptr, digest_name(algorithm), library(), nullptr,
                              key_.get(), parameters.list) != 1 ||
        EVP_DigestSign(state.get(), signature.data(), &size, message.data(), message.size()) != 1) {
        return fail(Code::internal, "cannot sign with {}: {}", info(algorithm).name,
                    openssl_error());
    }
    signature.resize(size);
    return signature;
}

}  // namespace quoin::crypto
