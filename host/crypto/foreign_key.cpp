#include "host/crypto/foreign_key.hpp"

#include <openssl/crypto.h>
#include <openssl/objects.h>
#include <openssl/pem.h>

#include <algorithm>

#include "host/crypto/pkcs8.hpp"

namespace quoin::crypto {
namespace {

using ObjectHandle = Handle<ASN1_OBJECT, ASN1_OBJECT_free>;
using PublicHandle = Handle<X509_PUBKEY, X509_PUBKEY_free>;

// OpenSSL frees what it is given with its own allocator.
unsigned char* copy_of(Bytes bytes) {
    return static_cast<unsigned char*>(OPENSSL_memdup(bytes.data(), bytes.size()));
}

bool is_named(const ASN1_OBJECT* object, const std::string& algorithm) {
    const ObjectHandle wanted(OBJ_txt2obj(algorithm.c_str(), 1));
    return wanted && OBJ_cmp(object, wanted.get()) == 0;
}

}  // namespace

Result<std::string> seal_foreign_key(const std::string& algorithm, Bytes secret,
                                     const Passphrase& passphrase, bool slow) {
    const ClearHandle clear(PKCS8_PRIV_KEY_INFO_new());
    unsigned char* copy = copy_of(secret);
    if (!clear || copy == nullptr ||
        PKCS8_pkey_set0(clear.get(), OBJ_txt2obj(algorithm.c_str(), 1), 0, V_ASN1_UNDEF, nullptr,
                        copy, static_cast<int>(secret.size())) != 1) {
        OPENSSL_clear_free(copy, secret.size());
        return fail(Code::internal, "cannot encode the key: {}", openssl_error());
    }
    return encrypt_to_pem(clear.get(), passphrase, slow);
}

Result<ByteVector> open_foreign_key(const std::string& algorithm, std::string_view pem,
                                    const Passphrase& passphrase) {
    QUOIN_TRY(const ClearHandle clear, decrypt_pem(pem, passphrase));
    const ASN1_OBJECT* object = nullptr;
    const unsigned char* bytes = nullptr;
    int size = 0;
    if (PKCS8_pkey_get0(&object, &bytes, &size, nullptr, clear.get()) != 1 ||
        !is_named(object, algorithm)) {
        return fail(Code::input_invalid, "private key: is of another kind than {}", algorithm);
    }
    return ByteVector(bytes, bytes + size);
}

Result<std::string> foreign_public_key_pem(const std::string& algorithm, Bytes key) {
    const PublicHandle encoded(X509_PUBKEY_new());
    unsigned char* copy = copy_of(key);
    const BioHandle bio(BIO_new(BIO_s_mem()));
    if (!encoded || !bio || copy == nullptr ||
        X509_PUBKEY_set0_param(encoded.get(), OBJ_txt2obj(algorithm.c_str(), 1), V_ASN1_UNDEF,
                               nullptr, copy, static_cast<int>(key.size())) != 1) {
        OPENSSL_free(copy);
        return fail(Code::internal, "cannot encode a public key: {}", openssl_error());
    }
    if (PEM_write_bio_X509_PUBKEY(bio.get(), encoded.get()) != 1) {
        return fail(Code::internal, "cannot write a public key: {}", openssl_error());
    }
    return text_of_bio(bio.get());
}

Result<ByteVector> foreign_public_key(const std::string& algorithm, std::string_view pem) {
    const BioHandle bio(
        BIO_new_mem_buf(pem.data(), static_cast<int>(std::min(pem.size(), max_key_size))));
    const PublicHandle encoded(bio ? PEM_read_bio_X509_PUBKEY(bio.get(), nullptr, nullptr, nullptr)
                                   : nullptr);
    if (!encoded) {
        return fail(Code::input_invalid, "no PUBLIC KEY in PEM: {}", openssl_error());
    }
    openssl_error();  // that it knows no such algorithm, which is why this function is here
    ASN1_OBJECT* object = nullptr;
    const unsigned char* bytes = nullptr;
    int size = 0;
    if (X509_PUBKEY_get0_param(&object, &bytes, &size, nullptr, encoded.get()) != 1 ||
        !is_named(object, algorithm)) {
        return fail(Code::input_invalid, "public key: is of another kind than {}", algorithm);
    }
    return ByteVector(bytes, bytes + size);
}

}  // namespace quoin::crypto
