#include "server/pki/next_hierarchy.hpp"

#include "server/pki/migration.hpp"

namespace quoin::server {

Result<NextPointer> load_next(const std::filesystem::path& home, const keys::Choice& choice,
                              tls::Suite suite, const NextPointer& present) {
    if (is_settling(home)) return present;  // in a moment this process is to be started again
    QUOIN_TRY(auto pending, pending_migration(home));
    if (!pending) return NextPointer();
    if (pending->profile.suite <= suite) {
        return fail(Code::config_invalid,
                    "{}: is of suite \"{}\", which is not stronger than \"{}\": it is not used",
                    pending->folder.string(), tls::info(pending->profile.suite).name,
                    tls::info(suite).name);
    }
    QUOIN_TRY(const auto digest, pending->root.sha256());
    if (present) {
        QUOIN_TRY(const auto known, present->root.sha256());
        if (digest == known) return present;
    }
    QUOIN_TRY(const crypto::Passphrase unlock, crypto::existing_unlock_key(home / "unlock.key"));
    QUOIN_TRY(IssuerPointer issuer, load_issuer(pending->folder / "pki", choice, unlock));
    return std::make_shared<const NextHierarchy>(
        NextHierarchy{.profile = std::move(pending->profile),
                      .folder = std::move(pending->folder),
                      .root = std::move(pending->root),
                      .issuer = std::move(issuer),
                      .new_with_old = std::move(pending->new_with_old)});
}

}  // namespace quoin::server
