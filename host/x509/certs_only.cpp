#include <openssl/pkcs7.h>

#include "host/x509/certificate.hpp"
#include "host/x509/names.hpp"

namespace quoin::x509 {
namespace {

constexpr int max_certificates = 16;

using MessageHandle = crypto::Handle<PKCS7, PKCS7_free>;

}  // namespace

// RFC 7030, section 4.1.3: SignedData without content and without signers.
Result<crypto::ByteVector> certs_only_der(std::span<const Certificate> certificates) {
    const MessageHandle message(PKCS7_new());
    if (!message || PKCS7_set_type(message.get(), NID_pkcs7_signed) != 1) {
        return fail(Code::internal, "certs-only: {}", crypto::openssl_error());
    }
    message->d.sign->contents->type = OBJ_nid2obj(NID_pkcs7_data);
    for (const Certificate& certificate : certificates) {
        if (PKCS7_add_certificate(message.get(), certificate.native()) != 1) {
            return fail(Code::internal, "certs-only: {}", crypto::openssl_error());
        }
    }
    unsigned char* encoded = nullptr;
    const int size = i2d_PKCS7(message.get(), &encoded);
    if (size <= 0) return fail(Code::internal, "certs-only: {}", crypto::openssl_error());
    crypto::ByteVector der(encoded, encoded + size);
    OPENSSL_free(encoded);
    return der;
}

Result<std::vector<Certificate>> certificates_from_certs_only(Bytes der) {
    if (der.size() > max_der_size) {
        return fail(Code::peer_oversize, "certs-only message of {} bytes is longer than {}",
                    der.size(), max_der_size);
    }
    const unsigned char* next = der.data();
    const MessageHandle message(d2i_PKCS7(nullptr, &next, static_cast<long>(der.size())));
    if (!message) {
        return fail(Code::peer_malformed, "certs-only message cannot be parsed: {}",
                    crypto::openssl_error());
    }
    if (next != der.data() + der.size()) {
        return fail(Code::peer_malformed, "certs-only message has bytes behind its end");
    }
    if (!PKCS7_type_is_signed(message.get()) || message->d.sign == nullptr) {
        return fail(Code::peer_malformed, "message is not a certs-only SignedData");
    }
    const PKCS7_SIGNED& content = *message->d.sign;
    if (sk_PKCS7_SIGNER_INFO_num(content.signer_info) > 0) {
        return fail(Code::peer_malformed, "certs-only message has signers");
    }
    const int count = sk_X509_num(content.cert);  // -1: none
    if (count < 1 || count > max_certificates) {
        return fail(Code::peer_malformed, "certs-only message has {} certificates, not 1 to {}",
                    count, max_certificates);
    }
    std::vector<Certificate> list;
    for (int i = 0; i < count; ++i) {
        QUOIN_TRY(const auto bytes, Certificate(sk_X509_value(content.cert, i)).der());
        QUOIN_TRY(auto certificate, Certificate::from_der(bytes));
        list.push_back(std::move(certificate));
    }
    return list;
}

}  // namespace quoin::x509
