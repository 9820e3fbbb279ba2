// Names in certificates and requests, and what else the sources of this folder share.
#pragma once

#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "host/crypto/crypto.hpp"
#include "host/crypto/handles.hpp"
#include "host/crypto/library.hpp"

namespace quoin::x509 {

using CertificateHandle = crypto::Handle<X509, X509_free>;
using NameHandle = crypto::Handle<X509_NAME, X509_NAME_free>;
using GeneralNamesHandle = crypto::Handle<GENERAL_NAMES, GENERAL_NAMES_free>;
using GeneralNameHandle = crypto::Handle<GENERAL_NAME, GENERAL_NAME_free>;

// A distinguished name that is one common name.
Result<NameHandle> make_name(std::string_view common_name);
// Empty when there is none, more than one, or one with a control character.
std::string common_name_of(const X509_NAME* name);
std::string_view text_of_asn1(const ASN1_STRING* text);

std::int64_t now_ms();
// UTC milliseconds; `otherwise` when the time cannot be read.
std::int64_t time_ms(const ASN1_TIME* time, std::int64_t otherwise);

// The digest that X509_sign() and its like want for the key: null where the algorithm has its own.
Result<const EVP_MD*> signing_digest(const crypto::PrivateKey& key);

// d2i function `parse` on all of `der`, into what `make` made: bounded, no bytes behind the end,
// and only DER (what encodes back to itself), so that one object has one digest.
template <class T, auto Free>
Result<std::shared_ptr<T>> parse_der(Bytes der, T* (*make)(OSSL_LIB_CTX*, const char*),
                                     T* (*parse)(T**, const unsigned char**, long),
                                     int (*encode)(const T*, unsigned char**), std::size_t limit,
                                     std::string_view what) {
    if (der.size() > limit) {
        return fail(Code::peer_oversize, "{} of {} bytes is longer than {}", what, der.size(),
                    limit);
    }
    const unsigned char* next = der.data();
    T* object = make(crypto::library(), nullptr);
    // When it fails, `object` is freed and null.
    const bool sound =
        object != nullptr && parse(&object, &next, static_cast<long>(der.size())) != nullptr;
    std::shared_ptr<T> parsed(object, crypto::Freer<Free>{});
    if (!sound) {
        return fail(Code::peer_malformed, "{} cannot be parsed: {}", what, crypto::openssl_error());
    }
    if (next != der.data() + der.size()) {
        return fail(Code::peer_malformed, "{} has bytes behind its end", what);
    }
    unsigned char* encoded = nullptr;
    const int size = encode(parsed.get(), &encoded);
    const bool same =
        size > 0 && text_of(Bytes(encoded, static_cast<std::size_t>(size))) == text_of(der);
    OPENSSL_free(encoded);
    if (!same) return fail(Code::peer_malformed, "{} is not in DER", what);
    return parsed;
}

}  // namespace quoin::x509
