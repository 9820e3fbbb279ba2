#include "host/crypto/measure/peer.hpp"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <spdlog/spdlog.h>

#include <cstdlib>

namespace quoin::crypto::measure {
namespace {

void must(bool done, const char* what) {
    if (done) return;
    std::array<char, 256> reason{};
    ERR_error_string_n(ERR_get_error(), reason.data(), reason.size());
    spdlog::critical("OpenSSL: {}: {}", what, reason.data());
    std::abort();
}

}  // namespace

PeerKey::PeerKey(EVP_PKEY* key, bool has_signature)
    : key_(key), context_(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr)) {
    must(key != nullptr && context_ != nullptr, "key");
    if (has_signature) {
        algorithm_.reset(EVP_SIGNATURE_fetch(nullptr, EVP_PKEY_get0_type_name(key), nullptr));
        must(algorithm_ != nullptr, "signature");
    }
}

PeerKey PeerKey::from_seed(const char* algorithm, Bytes seed) {
    const KeyContextHandle context(EVP_PKEY_CTX_new_from_name(nullptr, algorithm, nullptr));
    const std::array parameters = {
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_ML_DSA_SEED,  // the same word for all
                                          const_cast<std::uint8_t*>(seed.data()), seed.size()),
        OSSL_PARAM_construct_end()};
    EVP_PKEY* key = nullptr;
    must(context != nullptr && EVP_PKEY_keygen_init(context.get()) == 1 &&
             EVP_PKEY_CTX_set_params(context.get(), parameters.data()) == 1 &&
             EVP_PKEY_generate(context.get(), &key) == 1,
         algorithm);
    return PeerKey(key, std::string_view(algorithm).find("DSA") != std::string_view::npos);
}

PeerKey PeerKey::fresh(const char* algorithm) {
    return PeerKey(EVP_PKEY_Q_keygen(nullptr, nullptr, algorithm), false);
}

PeerKey PeerKey::from_private(const char* algorithm, Bytes key) {
    return PeerKey(
        EVP_PKEY_new_raw_private_key_ex(nullptr, algorithm, nullptr, key.data(), key.size()),
        false);
}

PeerKey PeerKey::from_public(const char* algorithm, Bytes key) {
    return PeerKey(
        EVP_PKEY_new_raw_public_key_ex(nullptr, algorithm, nullptr, key.data(), key.size()), false);
}

void PeerKey::encapsulate(Bytes random, MutableBytes ciphertext, MutableBytes secret) const {
    const std::array parameters = {
        OSSL_PARAM_construct_octet_string(OSSL_KEM_PARAM_IKME,
                                          const_cast<std::uint8_t*>(random.data()), random.size()),
        OSSL_PARAM_construct_end()};
    encapsulate_with(parameters.data(), ciphertext, secret);
}

void PeerKey::encapsulate(MutableBytes ciphertext, MutableBytes secret) const {
    encapsulate_with(nullptr, ciphertext, secret);
}

void PeerKey::encapsulate_with(const OSSL_PARAM* parameters, MutableBytes ciphertext,
                               MutableBytes secret) const {
    std::size_t ciphertext_size = ciphertext.size();
    std::size_t secret_size = secret.size();
    must(EVP_PKEY_encapsulate_init(context_.get(), parameters) == 1 &&
             EVP_PKEY_encapsulate(context_.get(), ciphertext.data(), &ciphertext_size,
                                  secret.data(), &secret_size) == 1,
         "encapsulate");
}

void PeerKey::decapsulate(Bytes ciphertext, MutableBytes secret) const {
    std::size_t size = secret.size();
    must(EVP_PKEY_decapsulate_init(context_.get(), nullptr) == 1 &&
             EVP_PKEY_decapsulate(context_.get(), secret.data(), &size, ciphertext.data(),
                                  ciphertext.size()) == 1,
         "decapsulate");
}

void PeerKey::sign(Bytes message, MutableBytes signature) const {
    std::size_t size = signature.size();
    if (algorithm_ == nullptr) {
        const DigestContextHandle context(EVP_MD_CTX_new());
        must(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get()) == 1 &&
                 EVP_DigestSign(context.get(), signature.data(), &size, message.data(),
                                message.size()) == 1,
             "sign");
        return;
    }
    int deterministic = 1;
    const std::array parameters = {
        OSSL_PARAM_construct_int(OSSL_SIGNATURE_PARAM_DETERMINISTIC, &deterministic),
        OSSL_PARAM_construct_end()};
    must(EVP_PKEY_sign_message_init(context_.get(), algorithm_.get(), parameters.data()) == 1 &&
             EVP_PKEY_sign(context_.get(), signature.data(), &size, message.data(),
                           message.size()) == 1,
         "sign");
}

void PeerKey::verify(Bytes message, Bytes signature) const {
    if (algorithm_ == nullptr) {
        const DigestContextHandle context(EVP_MD_CTX_new());
        must(EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key_.get()) == 1 &&
                 EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(),
                                  message.size()) == 1,
             "verify");
        return;
    }
    must(EVP_PKEY_verify_message_init(context_.get(), algorithm_.get(), nullptr) == 1 &&
             EVP_PKEY_verify(context_.get(), signature.data(), signature.size(), message.data(),
                             message.size()) == 1,
         "verify");
}

void PeerKey::derive(const PeerKey& peer, MutableBytes secret) const {
    std::size_t size = secret.size();
    must(EVP_PKEY_derive_init(context_.get()) == 1 &&
             EVP_PKEY_derive_set_peer(context_.get(), peer.key_.get()) == 1 &&
             EVP_PKEY_derive(context_.get(), secret.data(), &size) == 1,
         "derive");
}

std::vector<std::uint8_t> PeerKey::public_key() const {
    std::size_t size = 0;
    must(EVP_PKEY_get_raw_public_key(key_.get(), nullptr, &size) == 1, "public key");
    std::vector<std::uint8_t> bytes(size);
    must(EVP_PKEY_get_raw_public_key(key_.get(), bytes.data(), &size) == 1, "public key");
    return bytes;
}

PeerHash::PeerHash(const char* name, bool is_xof)
    : algorithm_(EVP_MD_fetch(nullptr, name, nullptr)),
      context_(EVP_MD_CTX_new()),
      is_xof_(is_xof) {
    must(algorithm_ != nullptr && context_ != nullptr, name);
}

void PeerHash::operator()(Bytes message, MutableBytes digest) const {
    must(EVP_DigestInit_ex2(context_.get(), algorithm_.get(), nullptr) == 1 &&
             EVP_DigestUpdate(context_.get(), message.data(), message.size()) == 1 &&
             (is_xof_ ? EVP_DigestFinalXOF(context_.get(), digest.data(), digest.size())
                      : EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr)) == 1,
         "digest");
}

PeerGcm::PeerGcm(Bytes key) : context_(EVP_CIPHER_CTX_new()) {
    const EVP_CIPHER* cipher = key.size() == 16 ? EVP_aes_128_gcm() : EVP_aes_256_gcm();
    must(EVP_EncryptInit_ex2(context_.get(), cipher, key.data(), nullptr, nullptr) == 1, "AES");
}

void PeerGcm::seal(Bytes iv, Bytes plaintext, MutableBytes ciphertext, MutableBytes tag) const {
    int size = 0;
    int rest = 0;
    must(EVP_EncryptInit_ex2(context_.get(), nullptr, nullptr, iv.data(), nullptr) == 1 &&
             EVP_EncryptUpdate(context_.get(), ciphertext.data(), &size, plaintext.data(),
                               static_cast<int>(plaintext.size())) == 1 &&
             EVP_EncryptFinal_ex(context_.get(), ciphertext.data() + size, &rest) == 1 &&
             EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_GET_TAG,
                                 static_cast<int>(tag.size()), tag.data()) == 1,
         "AES-GCM");
}

}  // namespace quoin::crypto::measure
