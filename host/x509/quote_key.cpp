#include "host/x509/quote_key.hpp"

#include <algorithm>

#include "host/x509/certificate.hpp"
#include "host/x509/names.hpp"

namespace quoin::x509 {
namespace {

using ObjectHandle = crypto::Handle<ASN1_OBJECT, ASN1_OBJECT_free>;
using OctetsHandle = crypto::Handle<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free>;

}  // namespace

Result<ExtensionHandle> make_quote_key_extension(Bytes spki) {
    QUOIN_TRY(const auto key, crypto::PublicKey::from_spki_der(spki));
    QUOIN_TRY(const crypto::Algorithm algorithm, key.algorithm());
    if (algorithm != crypto::Algorithm::ecdsa_p256) {
        return fail(Code::input_invalid, "a TPM's quote key is ECDSA-P256, and this one is {}",
                    crypto::info(algorithm).name);
    }
    QUOIN_TRY(const crypto::ByteVector again, key.spki_der());
    if (!std::ranges::equal(again, spki)) {  // of a compressed point, for one
        return fail(Code::input_invalid, "a TPM's quote key has one encoding, and this is another");
    }
    const ObjectHandle oid(OBJ_txt2obj(quote_key_oid, 1));
    const OctetsHandle value(ASN1_OCTET_STRING_new());
    if (!oid || !value ||
        ASN1_OCTET_STRING_set(value.get(), spki.data(), static_cast<int>(spki.size())) != 1) {
        return fail(Code::internal, "cannot name a quote key: {}", crypto::openssl_error());
    }
    ExtensionHandle extension(X509_EXTENSION_create_by_OBJ(nullptr, oid.get(), 0, value.get()));
    if (!extension) {
        return fail(Code::internal, "cannot name a quote key: {}", crypto::openssl_error());
    }
    return extension;
}

Result<crypto::ByteVector> quote_key_in(const STACK_OF(X509_EXTENSION) * extensions) {
    const ObjectHandle oid(OBJ_txt2obj(quote_key_oid, 1));
    if (!oid) return fail(Code::internal, "quote key: {}", crypto::openssl_error());
    const int at = X509v3_get_ext_by_OBJ(extensions, oid.get(), -1);
    if (at < 0) return crypto::ByteVector();
    if (X509v3_get_ext_by_OBJ(extensions, oid.get(), at) >= 0) {
        return fail(Code::peer_malformed, "names more than one quote key");
    }
    const std::string_view value =
        text_of_asn1(X509_EXTENSION_get_data(X509v3_get_ext(extensions, at)));
    const Bytes bytes = bytes_of(value);
    return crypto::ByteVector(bytes.begin(), bytes.end());
}

Result<crypto::ByteVector> Certificate::quote_key() const {
    return quote_key_in(X509_get0_extensions(certificate_.get()));
}

Result<crypto::ByteVector> Request::quote_key() const {
    STACK_OF(X509_EXTENSION)* const extensions = X509_REQ_get_extensions(request_.get());
    // Null for none, and for what cannot be read.
    if (extensions == nullptr && X509_REQ_get_attr_by_NID(request_.get(), NID_ext_req, -1) >= 0) {
        crypto::openssl_error();
        return fail(Code::peer_malformed, "the extensions that it asks for cannot be read");
    }
    auto found = quote_key_in(extensions);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    return found;
}

}  // namespace quoin::x509
