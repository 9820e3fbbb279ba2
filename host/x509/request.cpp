#include "host/x509/certificate.hpp"
#include "host/x509/names.hpp"
#include "host/x509/quote_key.hpp"

namespace quoin::x509 {
namespace {

constexpr std::size_t max_challenge_password = 255;  // pkcs-9-ub-challengePassword

using RequestHandle = crypto::Handle<X509_REQ, X509_REQ_free>;
using AlgorithmHandle = crypto::Handle<X509_ALGOR, X509_ALGOR_free>;
using BitsHandle = crypto::Handle<ASN1_BIT_STRING, ASN1_BIT_STRING_free>;

struct FreeEncoded {
    void operator()(unsigned char* encoded) const noexcept { OPENSSL_free(encoded); }
};
using EncodedHandle = std::unique_ptr<unsigned char, FreeEncoded>;
struct FreeStack {  // not what is on it
    void operator()(STACK_OF(X509_EXTENSION) * stack) const noexcept {
        sk_X509_EXTENSION_free(stack);
    }
};
using StackHandle = std::unique_ptr<STACK_OF(X509_EXTENSION), FreeStack>;

// The key must be one of ours before its signature is checked: a huge RSA key costs seconds.
Result<crypto::PublicKey> key_of(X509_REQ* request) {
    unsigned char* encoded = nullptr;
    const int size = i2d_X509_PUBKEY(X509_REQ_get_X509_PUBKEY(request), &encoded);
    if (size <= 0) return fail(Code::peer_malformed, "request's key: {}", crypto::openssl_error());
    auto key = crypto::PublicKey::from_spki_der({encoded, static_cast<std::size_t>(size)});
    OPENSSL_free(encoded);
    return key;
}

std::unexpected<Error> cannot_make() {
    return fail(Code::internal, "cannot make a request: {}", crypto::openssl_error());
}

Result<RequestHandle> unsigned_request(EVP_PKEY* key, std::string_view common_name) {
    QUOIN_TRY(const NameHandle name, make_name(common_name));
    RequestHandle request(X509_REQ_new_ex(crypto::library(), nullptr));
    if (!request || X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) != 1 ||
        X509_REQ_set_subject_name(request.get(), name.get()) != 1 ||
        X509_REQ_set_pubkey(request.get(), key) != 1) {
        return cannot_make();
    }
    return request;
}

Result<std::string> der_of(const X509_REQ* request) {
    unsigned char* encoded = nullptr;
    const int size = i2d_X509_REQ(request, &encoded);
    const EncodedHandle owned(encoded);
    if (size <= 0) return cannot_make();
    return std::string(reinterpret_cast<const char*>(encoded), static_cast<std::size_t>(size));
}

// A signature of the algorithm that the key's own object identifier names.
Result<void> attach(X509_REQ* request, Bytes signature) {
    ASN1_OBJECT* oid = nullptr;
    const AlgorithmHandle algorithm(X509_ALGOR_new());
    BitsHandle bits(ASN1_BIT_STRING_new());
    X509_PUBKEY* const spki = X509_REQ_get_X509_PUBKEY(request);
    if (!algorithm || !bits || X509_PUBKEY_get0_param(&oid, nullptr, nullptr, nullptr, spki) != 1 ||
        X509_ALGOR_set0(algorithm.get(), OBJ_dup(oid), V_ASN1_UNDEF, nullptr) != 1 ||
        X509_REQ_set1_signature_algo(request, algorithm.get()) != 1 ||
        ASN1_BIT_STRING_set(bits.get(), const_cast<unsigned char*>(signature.data()),
                            static_cast<int>(signature.size())) != 1) {
        return cannot_make();
    }
    // Whole bytes; without this, zero bits at the end would be left out.
    bits->flags = (bits->flags & ~(ASN1_STRING_FLAG_BITS_LEFT | 0x07)) | ASN1_STRING_FLAG_BITS_LEFT;
    X509_REQ_set0_signature(request, bits.release());
    return {};
}

Result<void> add_challenge_password(X509_REQ* request, std::string_view password) {
    if (password.empty()) return {};
    if (password.size() > max_challenge_password) {
        return fail(Code::input_invalid, "a challengePassword has at most {} bytes",
                    max_challenge_password);
    }
    if (X509_REQ_add1_attr_by_NID(request, NID_pkcs9_challengePassword, MBSTRING_UTF8,
                                  reinterpret_cast<const unsigned char*>(password.data()),
                                  static_cast<int>(password.size())) == 1) {
        return {};
    }
    return cannot_make();
}

}  // namespace

Result<std::string> Request::make_der(const crypto::PrivateKey& key, std::string_view common_name,
                                      std::string_view challenge_password) {
    QUOIN_TRY(const EVP_MD* const digest, signing_digest(key));
    QUOIN_TRY(const RequestHandle request, unsigned_request(key.native(), common_name));
    QUOIN_CHECK(add_challenge_password(request.get(), challenge_password));
    if (X509_REQ_sign(request.get(), key.native(), digest) == 0) return cannot_make();
    return der_of(request.get());
}

Result<std::string> Request::make_der(const crypto::PublicKey& key, const Sign& sign,
                                      std::string_view common_name, Bytes quote_key,
                                      std::string_view challenge_password) {
    QUOIN_TRY(const RequestHandle request, unsigned_request(key.native(), common_name));
    QUOIN_CHECK(add_challenge_password(request.get(), challenge_password));
    if (!quote_key.empty()) {
        QUOIN_TRY(const ExtensionHandle extension, make_quote_key_extension(quote_key));
        const StackHandle extensions(sk_X509_EXTENSION_new_null());
        if (!extensions || sk_X509_EXTENSION_push(extensions.get(), extension.get()) == 0 ||
            X509_REQ_add_extensions(request.get(), extensions.get()) != 1) {
            return cannot_make();
        }
    }
    unsigned char* encoded = nullptr;
    const int size = i2d_re_X509_REQ_tbs(request.get(), &encoded);
    const EncodedHandle owned(encoded);
    if (size <= 0) return cannot_make();
    QUOIN_TRY(const crypto::ByteVector signature,
              sign(Bytes(encoded, static_cast<std::size_t>(size))));
    QUOIN_CHECK(attach(request.get(), signature));
    return der_of(request.get());
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

Result<crypto::ByteVector> Request::der() const {
    QUOIN_TRY(const std::string der, der_of(request_.get()));
    const Bytes bytes = bytes_of(der);
    return crypto::ByteVector(bytes.begin(), bytes.end());
}

Result<std::optional<std::string>> Request::challenge_password() const {
    const int at = X509_REQ_get_attr_by_NID(request_.get(), NID_pkcs9_challengePassword, -1);
    if (at < 0) return std::nullopt;
    X509_ATTRIBUTE* const attribute = X509_REQ_get_attr(request_.get(), at);
    const bool is_only =
        X509_REQ_get_attr_by_NID(request_.get(), NID_pkcs9_challengePassword, at) < 0 &&
        X509_ATTRIBUTE_count(attribute) == 1;
    const ASN1_TYPE* const value = is_only ? X509_ATTRIBUTE_get0_type(attribute, 0) : nullptr;
    const int type = value != nullptr ? ASN1_TYPE_get(value) : V_ASN1_UNDEF;
    if (type != V_ASN1_UTF8STRING && type != V_ASN1_PRINTABLESTRING && type != V_ASN1_T61STRING) {
        return fail(Code::peer_malformed, "its challengePassword is not one text");
    }
    const std::string_view text = text_of_asn1(value->value.asn1_string);
    if (text.empty() || text.size() > max_challenge_password) {
        return fail(Code::peer_malformed, "its challengePassword is not of 1 to {} bytes",
                    max_challenge_password);
    }
    return std::string(text);
}

}  // namespace quoin::x509
