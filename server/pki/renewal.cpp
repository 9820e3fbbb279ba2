#include <optional>

#include "host/audit/signers.hpp"
#include "host/files/files.hpp"
#include "server/pki/ceremony.hpp"
#include "server/pki/issuing.hpp"
#include "server/pki/migration.hpp"
#include "server/pki/switching.hpp"

namespace quoin::server {
namespace {

namespace fs = std::filesystem;
using x509::Certificate;

// Those that an earlier renewal replaced. The present ones stay in the store beside the new ones:
// running services use them until they start again.
Result<void> remove_unused_keys(const IssuingCa& ca, const fs::path& folder,
                                const KeyNotices& notices) {
    for (const Service& service : services()) {
        QUOIN_TRY(const std::string prefix, keys::program_key_prefix(service.name, ca.owner));
        QUOIN_TRY(const Certificate present,
                  first_of(folder / (std::string(service.name) + ".crt")));
        QUOIN_TRY(const crypto::PublicKey key, present.public_key());
        QUOIN_CHECK(keys::remove_other_program_keys(ca.keys, prefix, &key, notices.on_unreached));
    }
    return {};
}

}  // namespace

// Which certificates quoind runs on, if it does, is in run/services. Another generation than that
// and the one on disk would take the first one's keys away from it.
Result<std::optional<files::Lock>> keep_quoind_out(const fs::path& home) {
    if (!fs::exists(home / "db")) return std::nullopt;
    auto lock = files::lock_folder(home / "db");
    if (lock) return std::optional(*std::move(lock));
    QUOIN_TRY(const Certificate present, first_of(home / "services" / "quoind.crt"));
    const auto running = files::read(home / "run" / "services");
    if (running && *running == present.serial_hex() + "\n") return std::nullopt;
    return fail(Code::state_wrong,
                "{}: quoind runs on older certificates than the present ones: it has not taken "
                "those (see its log), or did not have the time: try again, or restart the plant",
                home.string());
}

Result<void> issue_services(const IssuingCa& ca, const fs::path& present, const fs::path& folder,
                            const KeyNotices& notices) {
    if (ca.keys.store.empty() && ca.key.is_in_store()) {
        return fail(Code::config_invalid,
                    "{}: its issuing CA's key is in quoin-se, and quoin.toml would have the "
                    "services' keys in files: set store in [keys]",
                    present.string());
    }
    QUOIN_TRY(const Certificate quoind, first_of(present / "quoind.crt"));
    QUOIN_TRY(const auto names, quoind.server_names());
    QUOIN_CHECK(remove_unused_keys(ca, present, notices));
    for (const Service& service : services()) {
        QUOIN_CHECK(issue_service(ca, folder, service, names, notices));
    }
    return {};
}

namespace {

// Exchanged in one step, so that a crash leaves the old ones or the new ones; then the old go.
Result<void> renew_hierarchy(const fs::path& home, const fs::path& hierarchy,
                             const KeyNotices& notices) {
    QUOIN_TRY(const IssuingCa ca, open_issuing_ca(home, hierarchy));
    QUOIN_TRY(const Staging staging, Staging::make(home, ".services-"));
    QUOIN_CHECK(issue_services(ca, hierarchy / "services", staging.path(), notices));
    if (hierarchy == home) {
        // What the old audit key has signed must still be believed.
        QUOIN_CHECK(audit::keep_signer(home));
    } else {
        QUOIN_CHECK(mark(staging.path()));
    }
    return exchange(staging.path(), hierarchy / "services");
}

}  // namespace

Result<void> renew_services(const fs::path& home, const KeyNotices& notices) {
    QUOIN_TRY(const files::Lock one_at_a_time, files::lock_folder(home));
    QUOIN_TRY(const bool settled, settle_locked(home, {}));
    static_cast<void>(settled);
    QUOIN_TRY(const auto quoind_out, keep_quoind_out(home));
    // First those of the second hierarchy: quoind reads both when the present ones are others.
    QUOIN_TRY(const auto migration, pending_migration(home));
    if (migration) QUOIN_CHECK(renew_hierarchy(home, migration->folder, notices));
    return renew_hierarchy(home, home, notices);
}

}  // namespace quoin::server
