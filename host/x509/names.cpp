#include "host/x509/names.hpp"

#include <ctime>

#include "host/crypto/selftest/module.hpp"

namespace quoin::x509 {

Result<NameHandle> make_name(std::string_view common_name) {
    if (common_name.empty()) return fail(Code::input_invalid, "the common name is empty");
    NameHandle name(X509_NAME_new());
    // As V_ASN1_UTF8STRING: the MBSTRING types would hold it to the 64 characters of RFC 5280,
    // appendix A.1, and device ids have up to 128. The URI is what counts; the name repeats it.
    if (!name ||
        X509_NAME_add_entry_by_NID(name.get(), NID_commonName, V_ASN1_UTF8STRING,
                                   reinterpret_cast<const unsigned char*>(common_name.data()),
                                   static_cast<int>(common_name.size()), -1, 0) != 1) {
        return fail(Code::internal, "cannot make a name: {}", crypto::openssl_error());
    }
    return name;
}

std::string_view text_of_asn1(const ASN1_STRING* text) {
    return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
            static_cast<std::size_t>(ASN1_STRING_length(text))};
}

std::string common_name_of(const X509_NAME* name) {
    const int index = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
    if (index < 0 || X509_NAME_get_index_by_NID(name, NID_commonName, index) >= 0) return "";
    const ASN1_STRING* data = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, index));
    unsigned char* utf8 = nullptr;
    const int size = ASN1_STRING_to_UTF8(&utf8, data);
    if (size < 0) {
        crypto::openssl_error();
        return "";
    }
    std::string text(reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(size));
    OPENSSL_free(utf8);
    for (const char c : text) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return "";
    }
    return text;
}

std::int64_t now_ms() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

std::int64_t time_ms(const ASN1_TIME* time, std::int64_t otherwise) {
    std::tm parts{};
    if (ASN1_TIME_to_tm(time, &parts) != 1) {
        crypto::openssl_error();
        return otherwise;
    }
    return static_cast<std::int64_t>(::timegm(&parts)) * 1000;
}

Result<const EVP_MD*> signing_digest(const crypto::PrivateKey& key) {
    QUOIN_TRY(const crypto::Algorithm algorithm, key.algorithm());
    QUOIN_CHECK(crypto::before_signing(crypto::info(algorithm).name));
    return algorithm == crypto::Algorithm::ecdsa_p256 ? EVP_sha256() : nullptr;
}

}  // namespace quoin::x509
