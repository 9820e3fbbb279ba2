#include "host/keys/software/box.hpp"

#include <openssl/evp.h>

#include "host/crypto/crypto.hpp"
#include "host/crypto/handles.hpp"
#include "host/crypto/library.hpp"

namespace quoin::keys::software {
namespace {

constexpr std::size_t nonce_size = 12;
constexpr std::size_t tag_size = 16;
constexpr std::size_t max_size = 1U << 20U;

using CipherHandle = crypto::Handle<EVP_CIPHER, EVP_CIPHER_free>;
using ContextHandle = crypto::Handle<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;

CipherHandle aes_256_gcm() {
    return CipherHandle(EVP_CIPHER_fetch(crypto::library(), "AES-256-GCM", nullptr));
}

}  // namespace

Result<ByteVector> close_box(BoxKey key, Bytes secret, Bytes associated) {
    if (secret.size() > max_size) return fail(Code::input_invalid, "too much to encrypt");
    ByteVector box(nonce_size + secret.size() + tag_size);
    QUOIN_CHECK(crypto::random_bytes(MutableBytes(box).first(nonce_size)));
    const CipherHandle algorithm = aes_256_gcm();
    const ContextHandle cipher(EVP_CIPHER_CTX_new());
    int size = 0;
    std::uint8_t* const body = box.data() + nonce_size;
    if (!algorithm || !cipher ||
        EVP_EncryptInit_ex2(cipher.get(), algorithm.get(), key.data(), box.data(), nullptr) != 1 ||
        EVP_EncryptUpdate(cipher.get(), nullptr, &size, associated.data(),
                          static_cast<int>(associated.size())) != 1 ||
        EVP_EncryptUpdate(cipher.get(), body, &size, secret.data(),
                          static_cast<int>(secret.size())) != 1 ||
        EVP_EncryptFinal_ex(cipher.get(), body + size, &size) != 1 ||
        EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_GET_TAG, tag_size, body + secret.size()) !=
            1) {
        return fail(Code::internal, "cannot encrypt: {}", crypto::openssl_error());
    }
    return box;
}

Result<SecretBytes> open_box(BoxKey key, Bytes box, Bytes associated) {
    if (box.size() < box_overhead || box.size() > max_size + box_overhead) {
        return fail(Code::integrity_mismatch, "{} bytes are no encrypted blob of this store",
                    box.size());
    }
    const Bytes body = box.subspan(nonce_size, box.size() - box_overhead);
    const Bytes tag = box.last(tag_size);
    SecretBytes secret(body.size());
    const CipherHandle algorithm = aes_256_gcm();
    const ContextHandle cipher(EVP_CIPHER_CTX_new());
    int size = 0;
    if (!algorithm || !cipher ||
        EVP_DecryptInit_ex2(cipher.get(), algorithm.get(), key.data(), box.data(), nullptr) != 1 ||
        EVP_DecryptUpdate(cipher.get(), nullptr, &size, associated.data(),
                          static_cast<int>(associated.size())) != 1 ||
        EVP_DecryptUpdate(cipher.get(), secret.expose_to_fill().data(), &size, body.data(),
                          static_cast<int>(body.size())) != 1 ||
        EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_SET_TAG, tag_size,
                            const_cast<std::uint8_t*>(tag.data())) != 1) {
        return fail(Code::internal, "cannot decrypt: {}", crypto::openssl_error());
    }
    std::uint8_t nothing[16];
    if (EVP_DecryptFinal_ex(cipher.get(), nothing, &size) != 1) {
        crypto::openssl_error();  // it has no reason to give
        return fail(Code::integrity_mismatch,
                    "the blob is damaged, or of another store, or of one that was zeroized");
    }
    return secret;
}

}  // namespace quoin::keys::software
