#include "host/x509/csr_attributes.hpp"

#include <openssl/asn1t.h>
#include <openssl/x509.h>

#include <array>

#include "host/crypto/handles.hpp"

namespace quoin::x509 {
namespace {

void free_items(ASN1_SEQUENCE_ANY* items) { sk_ASN1_TYPE_pop_free(items, ASN1_TYPE_free); }
using ItemsHandle = crypto::Handle<ASN1_SEQUENCE_ANY, free_items>;
using ItemHandle = crypto::Handle<ASN1_TYPE, ASN1_TYPE_free>;
using AttributeHandle = crypto::Handle<X509_ATTRIBUTE, X509_ATTRIBUTE_free>;

constexpr std::string_view what = "the CSR attributes";

std::unexpected<Error> malformed() {
    return fail(Code::peer_malformed, "{} cannot be parsed: {}", what, crypto::openssl_error());
}

Result<crypto::ByteVector> encode(const ASN1_SEQUENCE_ANY* items) {
    unsigned char* encoded = nullptr;
    const int size = i2d_ASN1_SEQUENCE_ANY(items, &encoded);
    if (size <= 0) return fail(Code::internal, "{}: {}", what, crypto::openssl_error());
    crypto::ByteVector der(encoded, encoded + size);
    OPENSSL_free(encoded);
    return der;
}

Result<void> check_attribute(const ASN1_STRING* encoded) {
    const unsigned char* next = ASN1_STRING_get0_data(encoded);
    const unsigned char* const end = next + ASN1_STRING_length(encoded);
    const AttributeHandle attribute(d2i_X509_ATTRIBUTE(nullptr, &next, end - next));
    if (!attribute || next != end) return malformed();
    return {};
}

Result<std::string> dotted(const ASN1_OBJECT* oid) {
    std::array<char, 256> text{};
    const int size = OBJ_obj2txt(text.data(), text.size(), oid, 1);
    if (size <= 0 || static_cast<std::size_t>(size) >= text.size()) return malformed();
    return std::string(text.data(), static_cast<std::size_t>(size));
}

}  // namespace

Result<crypto::ByteVector> csr_attributes_der(std::span<const std::string_view> oids) {
    const ItemsHandle items(sk_ASN1_TYPE_new_null());
    for (const std::string_view oid : oids) {
        ItemHandle item(ASN1_TYPE_new());
        ASN1_OBJECT* const object = OBJ_txt2obj(std::string(oid).c_str(), 1);
        if (!items || !item || object == nullptr) {
            ASN1_OBJECT_free(object);
            return fail(Code::internal, "{}: {}: {}", what, oid, crypto::openssl_error());
        }
        ASN1_TYPE_set(item.get(), V_ASN1_OBJECT, object);
        if (sk_ASN1_TYPE_push(items.get(), item.get()) == 0) {
            return fail(Code::internal, "{}: {}", what, crypto::openssl_error());
        }
        static_cast<void>(item.release());
    }
    return encode(items.get());
}

Result<std::vector<std::string>> csr_attributes_from_der(Bytes der) {
    if (der.size() > max_csr_attributes_size) {
        return fail(Code::peer_oversize, "{} of {} bytes are longer than {}", what, der.size(),
                    max_csr_attributes_size);
    }
    const unsigned char* next = der.data();
    const ItemsHandle items(d2i_ASN1_SEQUENCE_ANY(nullptr, &next, static_cast<long>(der.size())));
    if (!items) return malformed();
    QUOIN_TRY(const crypto::ByteVector again, encode(items.get()));
    if (text_of(again) != text_of(der)) {
        return fail(Code::peer_malformed, "{} are not in DER, or have bytes behind their end",
                    what);
    }
    const int count = sk_ASN1_TYPE_num(items.get());
    if (static_cast<std::size_t>(count) > max_csr_attributes) {
        return fail(Code::peer_oversize, "{} are more than {}", what, max_csr_attributes);
    }
    std::vector<std::string> oids;
    for (int i = 0; i < count; ++i) {
        const ASN1_TYPE* const item = sk_ASN1_TYPE_value(items.get(), i);
        if (ASN1_TYPE_get(item) == V_ASN1_SEQUENCE) {
            QUOIN_CHECK(check_attribute(item->value.sequence));
        } else if (ASN1_TYPE_get(item) == V_ASN1_OBJECT) {
            QUOIN_TRY(std::string oid, dotted(item->value.object));
            oids.push_back(std::move(oid));
        } else {
            return fail(Code::peer_malformed, "{}: item {} is neither an OID nor an attribute",
                        what, i);
        }
    }
    return oids;
}

}  // namespace quoin::x509
