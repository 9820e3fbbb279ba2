#include "host/keys/p256.hpp"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "host/crypto/crypto.hpp"
#include "host/crypto/handles.hpp"
#include "host/crypto/library.hpp"

namespace quoin::keys::p256 {

Result<ByteVector> spki_of(Bytes point) {
    char group[] = "prime256v1";
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY,
                                          const_cast<std::uint8_t*>(point.data()), point.size()),
        OSSL_PARAM_construct_end()};
    const crypto::Handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(
        EVP_PKEY_CTX_new_from_name(crypto::library(), "EC", nullptr));
    EVP_PKEY* made = nullptr;
    if (point.size() != point_size || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, parameters) != 1) {
        return fail(Code::integrity_mismatch, "the store's public key is no point of P-256: {}",
                    crypto::openssl_error());
    }
    return crypto::PublicKey(made).spki_der();
}

Result<ByteVector> der_of(Bytes r, Bytes s) {
    if (r.size() > coordinate_size || s.size() > coordinate_size) {
        return fail(Code::internal, "a P-256 signature of {} and {} bytes", r.size(), s.size());
    }
    crypto::BignumHandle first(BN_bin2bn(r.data(), static_cast<int>(r.size()), nullptr));
    crypto::BignumHandle second(BN_bin2bn(s.data(), static_cast<int>(s.size()), nullptr));
    const crypto::Handle<ECDSA_SIG, ECDSA_SIG_free> pair(ECDSA_SIG_new());
    if (!pair || !first || !second || ECDSA_SIG_set0(pair.get(), first.get(), second.get()) != 1) {
        return fail(Code::internal, "cannot encode a signature: {}", crypto::openssl_error());
    }
    static_cast<void>(first.release());  // now parts of `pair`
    static_cast<void>(second.release());
    unsigned char* der = nullptr;
    const int size = i2d_ECDSA_SIG(pair.get(), &der);
    if (size <= 0) {
        return fail(Code::internal, "cannot encode a signature: {}", crypto::openssl_error());
    }
    ByteVector bytes(der, der + size);
    OPENSSL_free(der);
    return bytes;
}

}  // namespace quoin::keys::p256
