#include "host/crypto/stream_digest.hpp"

#include <openssl/evp.h>

#include "host/crypto/handles.hpp"
#include "host/crypto/library.hpp"

namespace quoin::crypto {

void Sha3_512Stream::Free::operator()(EVP_MD_CTX* context) const noexcept {
    EVP_MD_CTX_free(context);
}

Result<Sha3_512Stream> Sha3_512Stream::begin() {
    const DigestHandle sha3(EVP_MD_fetch(library(), "SHA3-512", nullptr));
    Context context(EVP_MD_CTX_new());
    if (!sha3 || !context || EVP_DigestInit_ex2(context.get(), sha3.get(), nullptr) != 1) {
        return fail(Code::internal, "SHA3-512: {}", openssl_error());
    }
    return Sha3_512Stream(std::move(context));
}

Result<void> Sha3_512Stream::add(Bytes piece) {
    if (EVP_DigestUpdate(context_.get(), piece.data(), piece.size()) == 1) return {};
    return fail(Code::internal, "SHA3-512: {}", openssl_error());
}

Result<Sha3_512Digest> Sha3_512Stream::finish() {
    Sha3_512Digest digest{};
    if (EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr) == 1) return digest;
    return fail(Code::internal, "SHA3-512: {}", openssl_error());
}

}  // namespace quoin::crypto
