#include "host/x509/certificate.hpp"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <limits>

#include "host/files/files.hpp"
#include "host/x509/names.hpp"

namespace quoin::x509 {
namespace {

constexpr std::size_t max_pem_certificates = 64;
constexpr std::size_t max_pem_size = 2U << 20U;  // bytes
constexpr int max_serial_size = 20;              // bytes; RFC 5280, section 4.1.2.2
constexpr std::string_view pem_label = "CERTIFICATE";

// RFC 5280, section 4.1.2.2: positive, at most 20 octets.
Result<void> check_serial(X509* certificate) {
    const ASN1_INTEGER* serial = X509_get0_serialNumber(certificate);
    if (ASN1_STRING_type(serial) == V_ASN1_NEG_INTEGER) {
        return fail(Code::peer_malformed, "certificate has a negative serial number");
    }
    if (ASN1_STRING_length(serial) > max_serial_size) {
        return fail(Code::peer_malformed, "certificate has a serial number of more than {} bytes",
                    max_serial_size);
    }
    return {};
}

Result<GeneralNamesHandle> alternative_names(X509* certificate) {
    int critical = 0;  // without it an extension that is there twice would be taken
    GeneralNamesHandle names(static_cast<GENERAL_NAMES*>(
        X509_get_ext_d2i(certificate, NID_subject_alt_name, &critical, nullptr)));
    if (!names) {
        crypto::openssl_error();
        return fail(Code::peer_unauthenticated, "certificate has no readable subjectAltName");
    }
    return names;
}

// IPv4 or IPv6 by the length; empty for any other.
std::string address_text(Bytes address) {
    char text[INET6_ADDRSTRLEN] = "";
    if (address.size() == 4) ::inet_ntop(AF_INET, address.data(), text, sizeof text);
    if (address.size() == 16) ::inet_ntop(AF_INET6, address.data(), text, sizeof text);
    return text;
}

struct PemBlock {
    std::string label;
    crypto::ByteVector der;
};

// The next block; none at the end of the text.
Result<std::optional<PemBlock>> next_block(BIO* bio) {
    char* name = nullptr;
    char* header = nullptr;
    unsigned char* data = nullptr;
    long size = 0;
    if (PEM_read_bio(bio, &name, &header, &data, &size) != 1) {
        const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
        const std::string reason = crypto::openssl_error();
        if (at_end) return std::nullopt;
        return fail(Code::input_invalid, "PEM cannot be read: {}", reason);
    }
    PemBlock block{.label = name, .der = crypto::ByteVector(data, data + size)};
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(data);
    return block;
}

}  // namespace

Certificate::Certificate(X509* shared) : certificate_(shared, crypto::Freer<X509_free>{}) {
    if (shared != nullptr) X509_up_ref(shared);
}

Result<Certificate> Certificate::from_der(Bytes der) {
    QUOIN_TRY(const auto parsed, parse_der<X509, X509_free>(der, X509_new_ex, d2i_X509, i2d_X509,
                                                            max_der_size, "certificate"));
    QUOIN_CHECK(check_serial(parsed.get()));
    return Certificate(parsed.get());
}

Result<Certificate> Certificate::from_pem(std::string_view pem) {
    QUOIN_TRY(const auto list, list_from_pem(pem));
    if (list.size() != 1) {
        return fail(Code::input_invalid, "PEM has {} certificates, not one", list.size());
    }
    return list.front();
}

Result<std::vector<Certificate>> Certificate::list_from_pem(std::string_view pem) {
    if (pem.size() > max_pem_size) {
        return fail(Code::input_invalid, "PEM of {} bytes is longer than {}", pem.size(),
                    max_pem_size);
    }
    const crypto::BioHandle bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    if (!bio) return fail(Code::internal, "PEM: {}", crypto::openssl_error());
    std::vector<Certificate> list;
    for (;;) {
        QUOIN_TRY(const auto block, next_block(bio.get()));
        if (!block) break;
        if (block->label != pem_label) {
            return fail(Code::input_invalid, "PEM block {} is not a CERTIFICATE", list.size() + 1);
        }
        if (list.size() == max_pem_certificates) {
            return fail(Code::input_invalid, "PEM has more than {} certificates",
                        max_pem_certificates);
        }
        QUOIN_TRY(auto certificate, from_der(block->der));
        list.push_back(std::move(certificate));
    }
    if (list.empty()) return fail(Code::input_invalid, "PEM has no certificate");
    return list;
}

Result<std::vector<Certificate>> Certificate::load(const std::filesystem::path& file) {
    QUOIN_TRY(const std::string pem, files::read(file, max_pem_size));
    auto list = list_from_pem(pem);
    if (!list) return fail(list.error().code, "{}: {}", file.string(), list.error().message);
    return list;
}

Result<Identity> Certificate::identity() const {
    QUOIN_TRY(const auto names, alternative_names(certificate_.get()));
    std::optional<Identity> found;
    for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
        const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
        if (name->type != GEN_URI) continue;
        const std::string_view uri = text_of_asn1(name->d.uniformResourceIdentifier);
        if (!uri.starts_with("quoin://")) continue;
        if (found) {
            return fail(Code::peer_unauthenticated, "certificate names more than one identity");
        }
        auto parsed = parse_identity(uri);
        if (!parsed)
            return fail(Code::peer_unauthenticated, "certificate: {}", parsed.error().message);
        found = *std::move(parsed);
    }
    if (!found) return fail(Code::peer_unauthenticated, "certificate names no quoin:// identity");
    if (common_name() != found->id) {
        return fail(Code::peer_unauthenticated,
                    "certificate's common name is not the id of its URI ({})", found->id);
    }
    return *std::move(found);
}

Result<std::vector<std::string>> Certificate::server_names() const {
    QUOIN_TRY(const auto names, alternative_names(certificate_.get()));
    std::vector<std::string> found;
    for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
        const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
        if (name->type == GEN_DNS) found.emplace_back(text_of_asn1(name->d.dNSName));
        if (name->type == GEN_IPADD) {
            found.push_back(address_text(bytes_of(text_of_asn1(name->d.iPAddress))));
        }
    }
    return found;
}

std::string Certificate::common_name() const {
    return common_name_of(X509_get_subject_name(certificate_.get()));
}

std::string Certificate::serial_hex() const {
    const ASN1_INTEGER* serial = X509_get0_serialNumber(certificate_.get());
    return crypto::to_hex(
        {ASN1_STRING_get0_data(serial), static_cast<std::size_t>(ASN1_STRING_length(serial))});
}

// An unreadable time counts as never valid.
std::int64_t Certificate::not_before_ms() const {
    return time_ms(X509_get0_notBefore(certificate_.get()),
                   std::numeric_limits<std::int64_t>::max());
}

std::int64_t Certificate::not_after_ms() const {
    return time_ms(X509_get0_notAfter(certificate_.get()), 0);
}

bool Certificate::is_ca() const {
    // 1: by basicConstraints; the other values are guesses about old certificates.
    return X509_check_ca(certificate_.get()) == 1 &&
           (X509_get_key_usage(certificate_.get()) & X509v3_KU_KEY_CERT_SIGN) != 0;
}

Result<crypto::PublicKey> Certificate::public_key() const {
    EVP_PKEY* const parsed = X509_get0_pubkey(certificate_.get());
    if (parsed == nullptr) {
        return fail(Code::peer_malformed, "certificate's key: {}", crypto::openssl_error());
    }
    EVP_PKEY_up_ref(parsed);
    crypto::PublicKey key(parsed);
    QUOIN_CHECK(key.algorithm());
    return key;
}

Result<crypto::ByteVector> Certificate::der() const {
    unsigned char* encoded = nullptr;
    const int size = i2d_X509(certificate_.get(), &encoded);
    if (size <= 0) {
        return fail(Code::internal, "cannot encode a certificate: {}", crypto::openssl_error());
    }
    crypto::ByteVector der(encoded, encoded + size);
    OPENSSL_free(encoded);
    return der;
}

Result<std::string> Certificate::pem() const {
    const crypto::BioHandle bio(BIO_new(BIO_s_mem()));
    if (!bio || PEM_write_bio_X509(bio.get(), certificate_.get()) != 1) {
        return fail(Code::internal, "cannot encode a certificate: {}", crypto::openssl_error());
    }
    return crypto::text_of_bio(bio.get());
}

Result<crypto::Sha256Digest> Certificate::sha256() const {
    QUOIN_TRY(const auto bytes, der());
    return crypto::sha256(bytes);
}

Result<crypto::Sha3_512Digest> Certificate::sha3_512() const {
    QUOIN_TRY(const auto bytes, der());
    return crypto::sha3_512(bytes);
}

}  // namespace quoin::x509
