// The half of the CA that issues: only what the registration authority has signed, and once.
#include <algorithm>

#include "server/bus/clock.hpp"
#include "server/config/settings.hpp"
#include "server/pki/authority.hpp"
#include "server/pki/certificate_rows.hpp"

namespace quoin::server {

using x509::Certificate;

// An approval whose signature was verified: made by verify_approval() only.
class Authority::Approved {
public:
    const Approval& claims() const { return opened_.claims(); }
    const std::string& signer() const { return opened_.signer(); }
    const std::string& text() const { return text_; }  // as in the row
    bool is_attest() const { return claims().kind == "attest"; }

private:
    friend Result<Approved> Authority::verify_approval(Bytes approval);
    Approved(OpenedApproval opened, std::string text)
        : opened_(std::move(opened)), text_(std::move(text)) {}
    OpenedApproval opened_;
    std::string text_;
};

namespace {

// Not of the device: what is wrong is between the RA and the CA, and the log of both says it.
std::unexpected<Error> not_approved(std::string_view why) {
    return fail(Code::integrity_mismatch, "the approval is not this plant's: {}", why);
}

Result<void> check_request(const Approval& claims, const x509::Request& request) {
    QUOIN_TRY(const crypto::Sha256Digest key, key_digest(request.public_key()));
    QUOIN_TRY(const crypto::ByteVector quote_key, request.quote_key());
    QUOIN_TRY(const crypto::ByteVector quote_digest, quote_key_digest(quote_key));
    if (request.common_name() != claims.device || key != claims.key ||
        quote_digest != claims.quote_key) {
        return fail(Code::peer_forbidden, "enrolment {} was approved for another request",
                    claims.number);
    }
    return {};
}

struct Row {
    std::string state, approval, serial;
};

Result<Row> load_row(soci::session& session, std::int64_t number) {
    Row row;
    session << "SELECT state, approval, serial FROM enrolments WHERE number = :n",
        soci::use(number), soci::into(row.state), soci::into(row.approval), soci::into(row.serial);
    if (session.got_data()) return row;
    return fail(Code::state_wrong, "there is no enrolment {}", number);
}

// The RA's certificate may have been revoked after it signed.
Result<void> check_registration(soci::session& session, const std::string& serial) {
    std::int64_t revoked = 0;
    session << "SELECT revoked_ms FROM certificates WHERE serial = :s AND kind = 'service' AND "
               "subject_id = 'ra'",
        soci::use(serial), soci::into(revoked);
    if (!session.got_data()) return not_approved("its signer is no recorded RA");
    if (revoked > 0) return not_approved("the RA's certificate " + serial + " is revoked");
    return {};
}

// Whatever it shows: its birth certificate, or an old one that is still valid.
Result<void> check_not_moved(soci::session& session, const std::string& device) {
    int moved = 0;
    session << "SELECT COUNT(*) FROM moves WHERE device_id = :d", soci::use(device),
        soci::into(moved);
    if (moved == 0) return {};
    return fail(Code::state_wrong,
                "{} has moved to the new suite and gets no certificate of the old one", device);
}

}  // namespace

// The key of the RA's certificate with this serial, which must be good now.
Result<crypto::PublicKey> Authority::registration_key(const std::string& serial) {
    std::optional<Certificate> ra;
    {
        const std::lock_guard lock(mutex_);
        ra = ra_;
    }
    if (!ra || ra->serial_hex() != serial) {
        const auto load = [&](soci::session& session) -> Result<std::string> {
            std::string der;
            session << "SELECT der FROM certificates WHERE serial = :s", soci::use(serial),
                soci::into(der);
            return der;
        };
        QUOIN_TRY(std::string text, database_.read(load));
        if (text.empty()) {
            QUOIN_CHECK(record_home());  // one that was renewed since the start
            QUOIN_TRY(text, database_.read(load));
        }
        if (text.empty()) return not_approved("its signer is no recorded RA");
        QUOIN_TRY(const crypto::ByteVector der, crypto::from_base64(text));
        QUOIN_TRY(ra, Certificate::from_der(der));
        // Of an earlier issuing CA, if it approved before a rotation.
        std::vector<Certificate> issuing;
        for (const IssuerPointer& one : all_issuers()) issuing.push_back(one->certificate);
        const auto chained =
            x509::verify_chain(*ra, issuing, {&root_, 1}, x509::Purpose::registration);
        if (!chained) return not_approved(chained.error().message);
        const std::lock_guard lock(mutex_);
        ra_ = ra;
    }
    const auto identity = ra->identity();
    if (!identity || identity->kind != x509::Kind::service || identity->id != "ra" ||
        identity->site != options_.site) {
        return not_approved("its signer is not this site's RA");
    }
    if (const std::int64_t now = now_ms(); now > ra->not_after_ms() || now < ra->not_before_ms()) {
        return not_approved("the RA's certificate is expired or not valid yet");
    }
    return ra->public_key();
}

Result<Authority::Approved> Authority::verify_approval(Bytes approval) {
    auto opened = OpenedApproval::open(approval);
    if (!opened) return not_approved(opened.error().message);
    QUOIN_TRY(const crypto::PublicKey key, registration_key(opened->signer()));
    if (const auto verified = opened->verify(key); !verified) {
        return not_approved(verified.error().message);
    }
    const Approval& claims = opened->claims();
    if (claims.site != options_.site || (claims.kind != "device" && claims.kind != "attest")) {
        return not_approved("it is of another site, or of no kind that is issued here");
    }
    return Approved(*std::move(opened), crypto::to_base64(approval));
}

struct Authority::Signed {
    Certificate certificate;
    std::string issuer;  // serial
};

Result<Authority::Signed> Authority::sign(const Approved& approved, const x509::Request& request) {
    const Approval& claims = approved.claims();
    const x509::Identity identity{
        .kind = approved.is_attest() ? x509::Kind::attest : x509::Kind::device,
        .site = claims.site,
        .id = claims.device,
        .role = std::nullopt};
    QUOIN_TRY(crypto::ByteVector quote_key, request.quote_key());
    const x509::Profile profile =
        approved.is_attest() ? x509::Profile::attest : x509::Profile::device;
    QUOIN_TRY(const IssuerPointer by, issuer_for(claims.device, profile, request));
    std::string issuer = by->certificate.serial_hex();
    QUOIN_TRY(Certificate certificate,
              x509::issue(by->key, by->certificate, request.public_key(),
                          {.profile = profile,
                           .common_name = claims.device,
                           .identity = identity,
                           .names = {},
                           .lifetime = options_.device_lifetime,
                           .addresses = status_addresses(options_.status_url, issuer),
                           .quote_key = std::move(quote_key)}));
    return Signed{std::move(certificate), std::move(issuer)};
}

// None: the approval holds, and is not used.
Result<std::optional<Certificate>> Authority::issued_before(soci::session& session,
                                                            const Approved& approved) const {
    const std::int64_t number = approved.claims().number;
    QUOIN_TRY(const Row row, load_row(session, number));
    if (row.approval != approved.text()) return not_approved("its enrolment has another");
    if (row.state == "approved") return std::optional<Certificate>();
    if (row.state != "issued") {
        return fail(Code::state_wrong, "enrolment {} is {}", number, row.state);
    }
    std::string text;
    std::int64_t revoked = 0;
    session << "SELECT der, revoked_ms FROM certificates WHERE serial = :s", soci::use(row.serial),
        soci::into(text), soci::into(revoked);
    if (!session.got_data()) {
        return fail(Code::integrity_mismatch, "the certificate {} of enrolment {} is not recorded",
                    row.serial, number);
    }
    QUOIN_TRY(const crypto::ByteVector der, crypto::from_base64(text));
    QUOIN_TRY(Certificate certificate, Certificate::from_der(der));
    if (revoked > 0 || certificate.not_after_ms() <= now_ms()) {
        return fail(Code::peer_forbidden,
                    "the certificate {} for this key is {}; ask again with a new key", row.serial,
                    revoked > 0 ? "revoked" : "expired");
    }
    return std::optional(std::move(certificate));
}

// Returns where the device says that its key is.
Result<std::string> Authority::record_issued(soci::session& session, const Approved& approved,
                                             const Signed& made) {
    const Approval& claims = approved.claims();
    QUOIN_CHECK(check_registration(session, approved.signer()));
    // In the transaction of the record: a revocation comes before or after, never in between.
    QUOIN_TRY(const Enrolee now, load_enrolee(session, "device_id", claims.device));
    if (!may_enrol(now.state)) {
        return fail(Code::state_wrong, "{} is {} and gets no certificate", now.device, now.state);
    }
    if (now.epoch != claims.epoch || now.device_class != claims.device_class) {
        return fail(Code::state_wrong, "enrolment {} was approved for {} as it was before",
                    claims.number, now.device);
    }
    if (approved.is_attest()) {
        QUOIN_CHECK(check_quote_key(session, claims.device, crypto::to_hex(claims.quote_key)));
    }
    std::string key_residence;
    session << "SELECT key_residence FROM enrolments WHERE number = :n", soci::use(claims.number),
        soci::into(key_residence);
    const NextPointer second = next();
    if (second && made.issuer != second->issuer->certificate.serial_hex()) {
        QUOIN_CHECK(check_not_moved(session, claims.device));
    }
    QUOIN_CHECK(
        record(session, made.certificate,
               {.number = claims.number, .key_residence = key_residence, .issuer = made.issuer}));
    const std::string serial = made.certificate.serial_hex();
    session << "UPDATE enrolments SET state = 'issued', serial = :s WHERE number = :n",
        soci::use(serial), soci::use(claims.number);
    return key_residence;
}

Result<Certificate> Authority::issue(Bytes approval, const x509::Request& request,
                                     const Recording& recording) {
    QUOIN_TRY(const Approved approved, verify_approval(approval));
    const Approval& claims = approved.claims();
    QUOIN_CHECK(check_request(claims, request));
    std::optional<Certificate> before;
    if (!recording.write) {
        QUOIN_TRY(before, database_.read([&](soci::session& session) {
            return issued_before(session, approved);
        }));
    }
    if (before) return *std::move(before);
    QUOIN_TRY(const Signed made, sign(approved, request));
    const Certificate& certificate = made.certificate;
    std::string key_residence;
    const auto recorded = commits_.run([&](soci::session& session) -> Result<void> {
        if (recording.write) QUOIN_CHECK(recording.write(session));
        QUOIN_TRY(before, issued_before(session, approved));
        if (before) return {};
        QUOIN_TRY(key_residence, record_issued(session, approved, made));
        return {};
    });
    QUOIN_CHECK(recorded);
    if (before) return *std::move(before);  // another thread came first: ours is nobody's
    if (recording.written) recording.written();
    QUOIN_TRY(const crypto::ByteVector quote_key, certificate.quote_key());
    const std::string serial = certificate.serial_hex();
    audit_.append(
        claims.renewal ? audit::Id::pki_certificate_renewed : audit::Id::pki_certificate_issued,
        claims.device,
        {{"kind", claims.kind},
         {"serial", serial},
         {"enrolment", claims.number},
         {"approved_by", claims.by},
         {"key_residence_claimed", key_residence},
         {"not_after_ms", certificate.not_after_ms()},
         {"quote_key", quote_key.empty() ? "none" : crypto::to_hex(claims.quote_key)}});
    bus_.certificate_issued.publish(
        {.device = claims.device, .kind = claims.kind, .serial = serial});
    return certificate;
}

}  // namespace quoin::server
