#include <openssl/pem.h>

#include <utility>

#include "host/x509/certificate.hpp"
#include "host/x509/names.hpp"

namespace quoin::x509 {
namespace {

using CrlHandle = crypto::Handle<X509_CRL, X509_CRL_free>;
using RevokedHandle = crypto::Handle<X509_REVOKED, X509_REVOKED_free>;
using IntegerHandle = crypto::Handle<ASN1_INTEGER, ASN1_INTEGER_free>;
using EnumeratedHandle = crypto::Handle<ASN1_ENUMERATED, ASN1_ENUMERATED_free>;
using TimeHandle = crypto::Handle<ASN1_TIME, ASN1_TIME_free>;

Result<IntegerHandle> serial_of(const std::string& hex) {
    QUOIN_TRY(const crypto::ByteVector bytes, crypto::from_hex(hex));
    const crypto::BignumHandle number(
        BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
    IntegerHandle serial(number ? BN_to_ASN1_INTEGER(number.get(), nullptr) : nullptr);
    if (bytes.empty() || !serial)
        return fail(Code::input_invalid, "\"{}\" is no serial number", hex);
    return serial;
}

// RFC 5280, section 5.3.1: absent rather than unspecified.
bool add_reason(X509_REVOKED* entry, Reason reason) {
    if (reason == Reason::unspecified) return true;
    const EnumeratedHandle value(ASN1_ENUMERATED_new());
    return value && ASN1_ENUMERATED_set(value.get(), std::to_underlying(reason)) == 1 &&
           X509_REVOKED_add1_ext_i2d(entry, NID_crl_reason, value.get(), 0, X509V3_ADD_DEFAULT) ==
               1;
}

Result<void> add_revoked(X509_CRL* crl, const Revoked& row) {
    QUOIN_TRY(const IntegerHandle serial, serial_of(row.serial_hex));
    RevokedHandle entry(X509_REVOKED_new());
    const TimeHandle time(ASN1_TIME_set(nullptr, row.revoked_ms / 1000));
    if (!entry || !time || X509_REVOKED_set_serialNumber(entry.get(), serial.get()) != 1 ||
        X509_REVOKED_set_revocationDate(entry.get(), time.get()) != 1 ||
        !add_reason(entry.get(), row.reason) || X509_CRL_add0_revoked(crl, entry.get()) != 1) {
        return fail(Code::internal, "{}: cannot revoke: {}", row.serial_hex,
                    crypto::openssl_error());
    }
    static_cast<void>(entry.release());
    return {};
}

Result<void> add_extensions(X509_CRL* crl, const Certificate& issuer, std::uint64_t number) {
    const IntegerHandle value(ASN1_INTEGER_new());
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer.native(), nullptr, nullptr, crl, 0);
    const crypto::Handle<X509_EXTENSION, X509_EXTENSION_free> key_id(
        X509V3_EXT_conf_nid(nullptr, &context, NID_authority_key_identifier, "keyid:always"));
    if (!value || ASN1_INTEGER_set_uint64(value.get(), number) != 1 || !key_id ||
        X509_CRL_add_ext(crl, key_id.get(), -1) != 1 ||
        X509_CRL_add1_ext_i2d(crl, NID_crl_number, value.get(), 0, X509V3_ADD_APPEND) != 1) {
        return fail(Code::internal, "revocation list: {}", crypto::openssl_error());
    }
    return {};
}

}  // namespace

Result<std::string> issue_crl_pem(const crypto::PrivateKey& issuer_key, const Certificate& issuer,
                                  std::span<const Revoked> revoked, std::uint64_t number,
                                  std::chrono::seconds lifetime) {
    QUOIN_TRY(const EVP_MD* const digest, signing_digest(issuer_key));
    const std::int64_t now_s = now_ms() / 1000;
    const CrlHandle crl(X509_CRL_new_ex(crypto::library(), nullptr));
    const TimeHandle made(ASN1_TIME_set(nullptr, now_s - 60));  // clock skew, as in certificates
    const TimeHandle next(ASN1_TIME_set(nullptr, now_s + lifetime.count()));
    if (!crl || !made || !next || X509_CRL_set_version(crl.get(), X509_CRL_VERSION_2) != 1 ||
        X509_CRL_set_issuer_name(crl.get(), X509_get_subject_name(issuer.native())) != 1 ||
        X509_CRL_set1_lastUpdate(crl.get(), made.get()) != 1 ||
        X509_CRL_set1_nextUpdate(crl.get(), next.get()) != 1) {
        return fail(Code::internal, "revocation list: {}", crypto::openssl_error());
    }
    for (const Revoked& row : revoked) QUOIN_CHECK(add_revoked(crl.get(), row));
    QUOIN_CHECK(add_extensions(crl.get(), issuer, number));
    X509_CRL_sort(crl.get());
    const crypto::BioHandle bio(BIO_new(BIO_s_mem()));
    if (X509_CRL_sign(crl.get(), issuer_key.native(), digest) == 0 || !bio ||
        PEM_write_bio_X509_CRL(bio.get(), crl.get()) != 1) {
        return fail(Code::internal, "revocation list: cannot sign: {}", crypto::openssl_error());
    }
    return crypto::text_of_bio(bio.get());
}

}  // namespace quoin::x509
