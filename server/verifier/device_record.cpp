#include "server/verifier/device_record.hpp"

#include <spdlog/spdlog.h>

#include "host/x509/certificate.hpp"
#include "server/verifier/references.hpp"

namespace quoin::verifier {
namespace {

// The newest: each costs a verification of a bad signature. More than EST issues in one burst of
// retries, so that the key in use is among them.
constexpr std::size_t max_attestation_keys = 32;
constexpr std::int64_t kept_verdicts = 1000;  // of a device

bool read_device(soci::session& session, const std::string& device, Record& record) {
    std::int64_t counter = 0;
    session << "SELECT device_id, class, state, verdict, last_pass_ms, boot_counter FROM devices "
               "WHERE device_id = :d",
        soci::into(record.row.device), soci::into(record.row.device_class),
        soci::into(record.row.state), soci::into(record.row.verdict),
        soci::into(record.row.last_pass_ms), soci::into(counter), soci::use(device);
    if (!session.got_data()) return false;
    record.facts.device = record.row.device;
    record.facts.device_class = record.row.device_class;
    record.facts.boot_counter = static_cast<std::uint64_t>(counter);
    return true;
}

Result<void> add_attestation_key(const std::string& der_base64, Facts& facts) {
    QUOIN_TRY(const crypto::ByteVector der, crypto::from_base64(der_base64));
    QUOIN_TRY(const x509::Certificate certificate, x509::Certificate::from_der(der));
    QUOIN_TRY(crypto::PublicKey key, certificate.public_key());
    QUOIN_TRY(crypto::ByteVector quote_key, certificate.quote_key());
    facts.attestation_keys.push_back({std::move(key), std::move(quote_key)});
    return {};
}

Result<void> read_certificates(soci::session& session, std::int64_t now_ms, Facts& facts) {
    std::int64_t bound = 0;
    session << "SELECT COUNT(*) FROM certificates WHERE subject_id = :d AND kind = 'attest' AND "
               "revoked_ms = 0 AND quote_key <> ''",
        soci::into(bound), soci::use(facts.device);
    facts.bound = bound > 0;
    std::string kind, digest, der;
    soci::statement statement =
        (session.prepare
             << "SELECT kind, sha3_512, der FROM certificates WHERE subject_id = :d AND "
                "kind IN ('device', 'attest') AND revoked_ms = 0 AND "
                "not_before_ms <= :now AND not_after_ms > :now2 "
                "ORDER BY not_after_ms DESC",
         soci::into(kind), soci::into(digest), soci::into(der), soci::use(facts.device),
         soci::use(now_ms), soci::use(now_ms));
    statement.execute();
    while (statement.fetch()) {
        if (kind == "device") {
            facts.ldevid_sha3_512.push_back(digest);
        } else if (facts.attestation_keys.size() < max_attestation_keys) {
            QUOIN_CHECK(add_attestation_key(der, facts));
        }
    }
    return {};
}

}  // namespace

bool is_attestable(std::string_view state, std::string_view device_class) {
    return device_class == "mpu" &&
           (state == "onboarding" || state == "active" || state == "degraded");
}

Result<std::vector<DeviceRow>> attestable_devices(store::Database& database) {
    return database.read([](soci::session& session) -> Result<std::vector<DeviceRow>> {
        std::vector<DeviceRow> all;
        DeviceRow row;
        soci::statement statement =
            (session.prepare
                 << "SELECT device_id, class, state, verdict, last_pass_ms FROM devices "
                    "WHERE class = 'mpu' AND "
                    "state IN ('onboarding', 'active', 'degraded') ORDER BY device_id",
             soci::into(row.device), soci::into(row.device_class), soci::into(row.state),
             soci::into(row.verdict), soci::into(row.last_pass_ms));
        statement.execute();
        while (statement.fetch()) all.push_back(row);
        return all;
    });
}

Result<std::optional<Record>> load_record(store::Database& database, const std::string& device,
                                          const std::string& release, std::int64_t now_ms) {
    return database.read([&](soci::session& session) -> Result<std::optional<Record>> {
        Record record;
        if (!read_device(session, device, record)) return std::optional<Record>();
        QUOIN_CHECK(read_certificates(session, now_ms, record.facts));
        if (!release.empty()) {
            record.facts.references =
                load_references(session, release, record.facts.device_class, device);
        }
        return std::optional(std::move(record));
    });
}

Result<void> record_verdict(store::Database& database, const VerdictRow& verdict) {
    const std::string name(verdict_name(verdict.appraisal.verdict));
    const std::string& reason = verdict.appraisal.reason;
    const std::string& level = verdict.appraisal.level;
    return database.transaction([&](soci::session& session) -> Result<void> {
        std::int64_t number = 0;
        session << "SELECT COALESCE(MAX(number), 0) + 1 FROM verdicts WHERE device_id = :d",
            soci::into(number), soci::use(verdict.device);
        session << "INSERT INTO verdicts (device_id, at_ms, number, verdict, reason, level) "
                   "VALUES (:d, :at, :n, :v, :r, :l)",
            soci::use(verdict.device), soci::use(verdict.at_ms), soci::use(number), soci::use(name),
            soci::use(reason), soci::use(level);
        session << "DELETE FROM verdicts WHERE device_id = :d AND number <= :n",
            soci::use(verdict.device), soci::use(number - kept_verdicts);
        session << "UPDATE devices SET verdict = :v, verdict_reason = :r, verdict_level = :l, "
                   "verdict_ms = :at WHERE device_id = :d",
            soci::use(name), soci::use(reason), soci::use(level), soci::use(verdict.at_ms),
            soci::use(verdict.device);
        if (!verdict.boot_counter) return {};
        const auto counter = static_cast<std::int64_t>(*verdict.boot_counter);
        session << "UPDATE devices SET last_pass_ms = :at, boot_counter = :c, release_version = :r "
                   "WHERE device_id = :d",
            soci::use(verdict.asked_ms), soci::use(counter), soci::use(verdict.release),
            soci::use(verdict.device);
        return {};
    });
}

}  // namespace quoin::verifier
