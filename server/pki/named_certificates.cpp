#include "server/pki/named_certificates.hpp"

#include "server/bus/clock.hpp"

namespace quoin::server {

Result<std::vector<std::string>> revoke_named(store::Database& database, const Bus& bus,
                                              audit::Log& audit, const NamedCertificates& which,
                                              x509::Reason why, std::string_view actor) {
    QUOIN_TRY(const auto serials,
              database.transaction([&](soci::session& session) -> Result<std::vector<std::string>> {
                  std::vector<std::string> found;
                  const soci::rowset<std::string> rows =
                      (session.prepare << "SELECT serial FROM certificates WHERE kind = :kind AND "
                                          "subject_id = :name AND revoked_ms = 0 ORDER BY serial",
                       soci::use(which.kind), soci::use(which.name));
                  for (const std::string& serial : rows) {
                      if (which.serial.empty() || serial == which.serial) found.push_back(serial);
                  }
                  const std::int64_t now = now_ms();
                  const int reason = static_cast<int>(why);
                  for (const std::string& serial : found) {
                      session << "UPDATE certificates SET revoked_ms = :now, reason = :reason "
                                 "WHERE serial = :serial",
                          soci::use(now), soci::use(reason), soci::use(serial);
                  }
                  return found;
              }));
    if (serials.empty()) {
        return fail(Code::input_not_found, "{} {} has no certificate{}{} that is not revoked",
                    which.kind, which.name, which.serial.empty() ? "" : " ", which.serial);
    }
    for (const std::string& serial : serials) {
        audit.append(audit::Id::pki_certificate_revoked, "",
                     {{"actor", actor},
                      {"kind", which.kind},
                      {"name", which.name},
                      {"serial", serial},
                      {"reason", x509::reason_name(why)}});
    }
    bus.certificates_revoked.publish({.subjects = {which.name}});
    return serials;
}

}  // namespace quoin::server
