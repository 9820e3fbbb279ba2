#include "host/x509/certificate.hpp"
#include "host/x509/names.hpp"

namespace quoin::x509 {
namespace {

using RequestHandle = crypto::Handle<X509_REQ, X509_REQ_free>;

// The key must be one of ours before its signature is checked: a huge RSA key costs seconds.
Result<crypto::PublicKey> key_of(X509_REQ* request) {
    unsigned char* encoded = nullptr;
    const int size = i2d_X509_PUBKEY(X509_REQ_get_X509_PUBKEY(request), &encoded);
    if (size <= 0) return fail(Code::peer_malformed, "request's key: {}", crypto::openssl_error());
    auto key = crypto::PublicKey::from_spki_der({encoded, static_cast<std::size_t>(size)});
    OPENSSL_free(encoded);
    return key;
}

}  // namespace

Result<std::string> Request::make_der(const crypto::PrivateKey& key, std::string_view common_name) {
    QUOIN_TRY(const NameHandle name, make_name(common_name));
    QUOIN_TRY(const EVP_MD* const digest, signing_digest(key));
    const RequestHandle request(X509_REQ_new_ex(crypto::library(), nullptr));
    if (!request || X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) != 1 ||
        X509_REQ_set_subject_name(request.get(), name.get()) != 1 ||
        X509_REQ_set_pubkey(request.get(), key.native()) != 1 ||
        X509_REQ_sign(request.get(), key.native(), digest) == 0) {
        return fail(Code::internal, "cannot make a request: {}", crypto::openssl_error());
    }
    unsigned char* encoded = nullptr;
    const int size = i2d_X509_REQ(request.get(), &encoded);
    if (size <= 0)
        return fail(Code::internal, "cannot encode a request: {}", crypto::openssl_error());
    std::string der(reinterpret_cast<const char*>(encoded), static_cast<std::size_t>(size));
    OPENSSL_free(encoded);
    return der;
}

Result<Request> Request::from_der(Bytes der) {
    QUOIN_TRY(auto request,
              parse_der<X509_REQ, X509_REQ_free>(der, X509_REQ_new_ex, d2i_X509_REQ, i2d_X509_REQ,
                                                 max_der_size, "certificate request"));
    QUOIN_TRY(auto key, key_of(request.get()));
    if (X509_REQ_verify(request.get(), key.native()) != 1) {
        crypto::openssl_error();
        return fail(Code::integrity_signature,
                    "certificate request is not signed by the key that it holds");
    }
    return Request(std::move(request), std::move(key));
}

std::string Request::common_name() const {
    return common_name_of(X509_REQ_get_subject_name(request_.get()));
}

}  // namespace quoin::x509
