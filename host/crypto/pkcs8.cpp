#include "host/crypto/pkcs8.hpp"

#include <openssl/pem.h>

#include <algorithm>

#include "host/crypto/library.hpp"

namespace quoin::crypto {
namespace {

// The unlock key is 256 random bits: stretching cannot make guessing harder than it is, and every
// start of a program would pay for it. 1,000 is the least that RFC 8018, section 4.2 allows.
constexpr int random_key_iterations = 1000;

// For what a person chose. 2^14, 8, 5: 16 MiB and about 0.2 s a guess, as much work as 2^17, 8, 1
// in the memory that OpenSSL grants when it reads a file (32 MiB).
constexpr std::uint64_t scrypt_n = 1U << 14U;
constexpr std::uint64_t scrypt_r = 8;
constexpr std::uint64_t scrypt_p = 5;

using SchemeHandle = Handle<X509_ALGOR, X509_ALGOR_free>;

}  // namespace

Result<std::string_view> label_of_pem(std::string_view text) {
    constexpr std::string_view space = " \t\r\n", dashes = "-----";
    constexpr std::string_view base64 =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\r\n";
    const auto take = [&text](std::string_view head) {
        const bool there = text.starts_with(head);
        if (there) text.remove_prefix(head.size());
        return there;
    };
    text.remove_prefix(std::min(text.find_first_not_of(space), text.size()));
    bool sound = take("-----BEGIN ");
    const std::string_view label = text.substr(0, text.find(dashes));
    sound = sound && take(label) && take(dashes);
    text.remove_prefix(std::min(text.find_first_not_of(base64), text.size()));
    sound = sound && take("-----END ") && take(label) && take(dashes);
    if (sound && text.find_first_not_of(space) == text.npos) return label;
    return fail(Code::input_invalid, "not one PEM block, with nothing before and behind it");
}

Result<std::string> encrypt_to_pem(PKCS8_PRIV_KEY_INFO* clear, const Passphrase& passphrase,
                                   bool slow) {
    const std::string_view secret = passphrase.expose();
    SchemeHandle scheme(slow ? PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), nullptr, 0, nullptr,
                                                     scrypt_n, scrypt_r, scrypt_p)
                             : PKCS5_pbe2_set_iv_ex(EVP_aes_256_cbc(), random_key_iterations,
                                                    nullptr, 0, nullptr, NID_hmacWithSHA256,
                                                    library()));
    if (!scheme) return fail(Code::internal, "cannot set up encryption: {}", openssl_error());
    const EncryptedHandle encrypted(PKCS8_set0_pbe_ex(
        secret.data(), static_cast<int>(secret.size()), clear, scheme.get(), library(), nullptr));
    if (!encrypted) return fail(Code::internal, "cannot encrypt the key: {}", openssl_error());
    static_cast<void>(scheme.release());  // now a part of `encrypted`
    const BioHandle bio(BIO_new(BIO_s_mem()));
    if (!bio || PEM_write_bio_PKCS8(bio.get(), encrypted.get()) != 1) {
        return fail(Code::internal, "cannot write the key: {}", openssl_error());
    }
    return text_of_bio(bio.get());
}

Result<ClearHandle> decrypt_pem(std::string_view pem, const Passphrase& passphrase) {
    if (pem.size() > max_key_size) {
        return fail(Code::input_invalid, "private key of {} bytes is longer than {}", pem.size(),
                    max_key_size);
    }
    QUOIN_CHECK(label_of_pem(pem));
    const BioHandle bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    if (!bio) return fail(Code::internal, "private key: {}", openssl_error());
    const EncryptedHandle encrypted(PEM_read_bio_PKCS8(bio.get(), nullptr, nullptr, nullptr));
    if (!encrypted) {
        return fail(Code::input_invalid, "no ENCRYPTED PRIVATE KEY in PEM: {}", openssl_error());
    }
    const std::string_view secret = passphrase.expose();
    ClearHandle clear(PKCS8_decrypt_ex(encrypted.get(), secret.data(),
                                       static_cast<int>(secret.size()), library(), nullptr));
    if (!clear) {
        openssl_error();  // its reason tells apart what a wrong passphrase happens to decrypt to
        return fail(Code::input_invalid, "private key: wrong passphrase, or the file is damaged");
    }
    return clear;
}

}  // namespace quoin::crypto
