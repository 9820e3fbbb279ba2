#include "server/pki/certificate_rows.hpp"

#include <array>

#include "host/store/bulk.hpp"
#include "server/pki/enrolee.hpp"

namespace quoin::server {
namespace {

using x509::Certificate;

std::string_view kind_name(const Certificate& certificate) {
    const auto identity = certificate.identity();
    if (!identity) return "ca";
    switch (identity->kind) {
        case x509::Kind::device:
            return "device";
        case x509::Kind::attest:
            return "attest";
        case x509::Kind::service:
            return "service";
        case x509::Kind::operator_:
            return "operator";
        case x509::Kind::birth:
            return "birth";
    }
    return "ca";
}

// SHA-256 in hex of the TPM quote key that it names; empty: none.
Result<std::string> quote_key_name(const Certificate& certificate) {
    QUOIN_TRY(const crypto::ByteVector key, certificate.quote_key());
    QUOIN_TRY(const crypto::ByteVector digest, quote_key_digest(key));
    return crypto::to_hex(digest);
}

}  // namespace

Result<void> record(soci::session& session, const Certificate& certificate,
                    const ForEnrolment& enrolment) {
    const auto identity = certificate.identity();
    QUOIN_TRY(const crypto::ByteVector der, certificate.der());
    QUOIN_TRY(const crypto::Sha3_512Digest digest, certificate.sha3_512());
    QUOIN_TRY(const std::string quote_key, quote_key_name(certificate));
    using Texts = std::vector<std::string>;
    using Numbers = std::vector<std::int64_t>;
    const std::array<store::Column, 12> columns{{
        {"serial", Texts{certificate.serial_hex()}},
        {"kind", Texts{std::string(kind_name(certificate))}},
        {"subject_id", Texts{identity ? identity->id : certificate.common_name()}},
        {"not_before_ms", Numbers{certificate.not_before_ms()}},
        {"not_after_ms", Numbers{certificate.not_after_ms()}},
        {"revoked_ms", Numbers{0}},
        {"sha3_512", Texts{crypto::to_hex(digest)}},
        {"der", Texts{crypto::to_base64(der)}},
        {"quote_key", Texts{quote_key}},
        {"key_residence", Texts{enrolment.key_residence}},
        {"enrolment", Numbers{enrolment.number}},
        {"issuer", Texts{enrolment.issuer}},
    }};
    store::insert_new(session, "certificates", columns);
    return {};
}

}  // namespace quoin::server
