#include "server/pki/birth_key.hpp"

namespace quoin::server {

Result<bool> check_birth_key(soci::session& session, const BirthKey& birth) {
    std::string known;
    session << "SELECT key_sha256 FROM births WHERE birth_cert_sha256 = :certificate",
        soci::use(birth.certificate), soci::into(known);
    if (known == birth.key) return true;
    std::string other;
    session << "SELECT device_id FROM births WHERE key_sha256 = :key AND birth_cert_sha256 <> "
               ":certificate",
        soci::use(birth.key), soci::use(birth.certificate), soci::into(other);
    if (!session.got_data()) return false;
    return fail(Code::peer_forbidden,
                "the birth key is that of an earlier birth certificate of {}: a device comes back "
                "with a new key",
                other);
}

Result<void> remember_birth_key(soci::session& session, const BirthKey& birth) {
    QUOIN_TRY(const bool is_known, check_birth_key(session, birth));
    if (is_known) return {};
    session << "UPDATE births SET key_sha256 = :key WHERE birth_cert_sha256 = :certificate",
        soci::use(birth.key), soci::use(birth.certificate);
    return {};
}

}  // namespace quoin::server
