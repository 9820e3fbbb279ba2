#include "server/pki/birth_key.hpp"

namespace quoin::server {
namespace {

Result<std::string> recorded_key(soci::session& session, const std::string& sha256) {
    std::string key;
    session << "SELECT key_sha256 FROM births WHERE birth_cert_sha256 = :sha256", soci::use(sha256),
        soci::into(key);
    return key;
}

}  // namespace

Result<void> check_birth_key(store::Database& database, const x509::Certificate& birth,
                             const std::string& sha256) {
    QUOIN_TRY(const crypto::PublicKey public_key, birth.public_key());
    QUOIN_TRY(const crypto::ByteVector spki, public_key.spki_der());
    QUOIN_TRY(const crypto::Sha256Digest digest, crypto::sha256(spki));
    const std::string key = crypto::to_hex(digest);
    QUOIN_TRY(const std::string known,
              database.read([&](soci::session& session) { return recorded_key(session, sha256); }));
    if (known == key) return {};
    return database.transaction([&](soci::session& session) -> Result<void> {
        std::string other;
        session << "SELECT device_id FROM births WHERE key_sha256 = :key AND birth_cert_sha256 <> "
                   ":sha256",
            soci::use(key), soci::use(sha256), soci::into(other);
        if (session.got_data()) {
            return fail(Code::peer_forbidden,
                        "the birth key is that of an earlier birth certificate of {}: a device "
                        "comes back with a new key",
                        other);
        }
        session << "UPDATE births SET key_sha256 = :key WHERE birth_cert_sha256 = :sha256",
            soci::use(key), soci::use(sha256);
        return {};
    });
}

}  // namespace quoin::server
