#include "server/pki/migration.hpp"

#include <array>
#include <string>
#include <system_error>

#include "host/audit/signers.hpp"
#include "host/crypto/library.hpp"
#include "host/files/files.hpp"
#include "host/x509/cross.hpp"
#include "host/x509/former_roots.hpp"
#include "server/config/settings.hpp"
#include "server/pki/issuing.hpp"
#include "server/pki/root.hpp"
#include "server/pki/switching.hpp"

namespace quoin::server {
namespace {

namespace fs = std::filesystem;
using crypto::Passphrase;
using crypto::PrivateKey;
using x509::Certificate;

constexpr const char* next_name = "next";

// Whether a certificate holds now, by the last revocation list (none: quoind never ran). An old
// list says nothing: state_stale.
Result<bool> is_good(std::span<const Certificate> chain, const fs::path& home) {
    const fs::path list = home / "pki" / "crl.pem";
    const Result<std::string> crl = fs::exists(list) ? files::read(list) : std::string();
    QUOIN_CHECK(crl);
    QUOIN_TRY(const Certificate root, first_of(home / "pki" / "root.crt"));
    const auto good = x509::verify_chain(chain.front(), chain.subspan(1), {&root, 1},
                                         x509::Purpose::client, *crl);
    if (good || good.error().code == Code::peer_unauthenticated) return good.has_value();
    return fail(good.error().code, "{}: {}; is quoind running?", list.string(),
                good.error().message);
}

// Of those who have one now that is good; `admin` is made with the services.
Result<void> issue_operators(const IssuingCa& ca, const fs::path& home, const fs::path& staged) {
    QUOIN_TRY(const auto found, entries(home / "operator", ""));
    for (const fs::path& file : found) {
        if (file.extension() != ".crt" || file.stem() == "admin") continue;
        QUOIN_TRY(const auto chain, Certificate::load(file));
        QUOIN_TRY(const bool good, is_good(chain, home));
        if (!good) continue;
        QUOIN_TRY(const x509::Identity person, chain.front().identity());
        const x509::Role role = person.role.value_or(x509::Role::viewer);
        QUOIN_CHECK(issue_operator(ca, staged / "operator", person.id, role));
    }
    return {};
}

// Into STAGED/pki: both directions, and the roots that the plant had before.
Result<void> certify_each_other(const Root& present, const Root& next, const fs::path& home,
                                const fs::path& staged) {
    QUOIN_TRY(const std::string site, site_of(present.certificate));
    QUOIN_TRY(const Certificate new_with_old,
              x509::certify_successor(present.key, present.certificate, next.certificate, site));
    QUOIN_TRY(const Certificate former_by_next,
              x509::certify_former(next.key, next.certificate, present.certificate));
    QUOIN_CHECK(write_certificates(staged / "pki" / "new-with-old.crt", {&new_with_old, 1}));
    const fs::path former = staged / "pki" / x509::former_roots_name;
    QUOIN_CHECK(files::make_private_folder(former));
    QUOIN_TRY(const auto earlier, entries(home / "pki" / x509::former_roots_name, ""));
    for (const fs::path& file : earlier) {
        QUOIN_TRY(const std::string text, files::read(file));
        QUOIN_CHECK(files::write_atomically(former / file.filename(), text, 0600));
    }
    QUOIN_TRY(const auto digest, present.certificate.sha256());
    const std::array pair{present.certificate, former_by_next};
    return write_certificates(former / (crypto::to_hex(digest) + ".crt"), pair);
}

// What is to be laid over quoin.toml: devices have been told the new broker's port already.
Result<void> write_overlays(const fs::path& home, const Migration& migration) {
    QUOIN_TRY(const Settings settings, load_settings(home));
    QUOIN_CHECK(files::write_atomically(
        migration.folder / suite_overlay,
        fmt::format("# written by `quoin pki migrate finish`\nsuite = \"{}\"\n",
                    tls::info(migration.profile.suite).name),
        0600));
    return files::write_atomically(
        migration.folder / ports_overlay,
        fmt::format(
            "# written by `quoin pki migrate finish`\n[broker]\nport = {}\nnext_port = {}\n",
            settings.broker_next_port, settings.broker_port),
        0600);
}

Result<void> check_suite(const MigrationRequest& request, tls::Suite present) {
    if (request.to > present) return {};
    return fail(Code::input_invalid,
                "the plant is of suite \"{}\": it can migrate to a stronger one only "
                "(classical, hybrid, pure), not to \"{}\"",
                tls::info(present).name, tls::info(request.to).name);
}

// Root, issuing CA, services and operators, as the present certificates and quoin.toml say.
Result<Root> make_hierarchy(const MigrationRequest& request, const Settings& settings,
                            const Passphrase& passphrase, const fs::path& staged,
                            const KeyNotices& notices) {
    QUOIN_TRY(const Certificate quoind, first_of(request.home / "services" / "quoind.crt"));
    QUOIN_TRY(const x509::Identity identity, quoind.identity());
    QUOIN_TRY(const auto names, quoind.server_names());
    QUOIN_TRY(const PkiProfile profile, find_profile(std::string(tls::info(request.to).name)));
    QUOIN_TRY(Passphrase unlock, crypto::existing_unlock_key(request.home / "unlock.key"));
    QUOIN_CHECK(make_staged_folders(staged));
    QUOIN_TRY(Root root, make_root(profile, identity.site, passphrase, staged / "pki"));
    QUOIN_TRY(std::string owner, owner_of(root.certificate));
    QUOIN_TRY(PrivateKey key,
              make_key(settings.keys, owner, "issuing", profile.algorithms.issuing, notices));
    QUOIN_TRY(const auto public_key, key.public_key());
    QUOIN_TRY(Certificate issuing, certify_issuing(root, profile, public_key, settings.status_url));
    const IssuingCa ca{.site = identity.site,
                       .owner = std::move(owner),
                       .profile = profile,
                       .addresses = status_addresses(settings.status_url, issuing.serial_hex()),
                       .key = std::move(key),
                       .certificate = std::move(issuing),
                       .unlock = std::move(unlock),
                       .keys = settings.keys};
    QUOIN_CHECK(complete({.ca = ca,
                          .root = root.certificate,
                          .names = names,
                          .witnesses = {},
                          .act = fmt::format("a second hierarchy, to migrate to suite {} "
                                             "(quoin pki migrate begin)",
                                             tls::info(request.to).name),
                          .next_steps = root_key_steps(request.home / next_name / "pki/root.key")},
                         staged, notices));
    QUOIN_CHECK(issue_operators(ca, request.home, staged));
    return root;
}

Result<void> make_next(const MigrationRequest& request, const Root& present,
                       const Passphrase& next_passphrase, const Settings& settings,
                       const KeyNotices& notices, const OnStep& on_step) {
    QUOIN_TRY(const fs::path staged, new_name(request.home, staging_prefix));
    QUOIN_CHECK(files::make_private_folder(staged));
    tell(on_step, fmt::format("make root, issuing CA, services and operators of suite {}",
                              tls::info(request.to).name));
    QUOIN_TRY(const Root next, make_hierarchy(request, settings, next_passphrase, staged, notices));
    tell(on_step, "certify the new root by the present one, and the present one by the new one");
    QUOIN_CHECK(certify_each_other(present, next, request.home, staged));
    for (const char* folder : {"services", "operator", "pki"}) QUOIN_CHECK(mark(staged / folder));
    tell(on_step, "begin: devices move from now on");
    return move_durably(staged, request.home / next_name);
}

}  // namespace

Result<void> begin_migration(const MigrationRequest& request, const Passphrase& present_root,
                             const Passphrase& next_root, const KeyNotices& notices,
                             const OnStep& on_step) {
    QUOIN_CHECK(crypto::provider_is_loaded());
    QUOIN_CHECK(check_root_passphrase(next_root));
    QUOIN_TRY(const files::Lock lock, files::lock_folder(request.home));
    QUOIN_TRY(const bool settled, settle_locked(request.home, on_step));
    static_cast<void>(settled);
    QUOIN_TRY(const auto pending, pending_migration(request.home));
    if (pending && pending->profile.suite == request.to) return {};
    if (pending) {
        return fail(Code::input_conflict,
                    "{}: a migration to \"{}\" is under way: finish or abort it first",
                    request.home.string(), tls::info(pending->profile.suite).name);
    }
    QUOIN_TRY(const Settings settings, load_settings(request.home));
    QUOIN_CHECK(check_suite(request, settings.suite));
    tell(on_step, "open the present root's key");
    QUOIN_TRY(const Root present, open_root(request.home, request.root_key, present_root));
    QUOIN_CHECK(remove_staged(request.home, notices));
    auto made = make_next(request, present, next_root, settings, notices, on_step);
    if (made) return made;
    const auto removed = remove_staged(request.home, notices);
    if (!removed) {
        made.error().message +=
            fmt::format("; and what was begun stays: {}", removed.error().message);
    }
    return made;
}

Result<void> finish_migration(const fs::path& home, const KeyNotices& notices,
                              const OnStep& on_step) {
    QUOIN_CHECK(crypto::provider_is_loaded());
    QUOIN_TRY(const files::Lock lock, files::lock_folder(home));
    QUOIN_TRY(const bool settled, settle_locked(home, on_step));
    if (settled) return {};  // by the one before, which was cut off
    QUOIN_TRY(const auto pending, pending_migration(home));
    if (!pending) return fail(Code::input_not_found, "{}: is not migrating", home.string());
    // What an earlier one left; what this one leaves is still used by what runs.
    QUOIN_CHECK(remove_retired(home, notices));
    tell(on_step, "keep what verifies the audit log so far");
    QUOIN_CHECK(audit::keep_signer(home));
    QUOIN_CHECK(copy_makers(home, pending->folder));
    QUOIN_CHECK(write_overlays(home, *pending));
    tell(on_step, "finish: the new hierarchy is the plant's");
    return switch_to(pending->folder, home, on_step);
}

Result<void> abort_migration(const fs::path& home, const std::function<Result<void>()>& confirm,
                             const KeyNotices& notices, const OnStep& on_step) {
    QUOIN_TRY(const files::Lock lock, files::lock_folder(home));
    QUOIN_TRY(const bool settled, settle_locked(home, on_step));
    QUOIN_TRY(const auto pending, pending_migration(home));
    if (settled || !pending) {
        return fail(Code::input_not_found, "{}: is not migrating", home.string());
    }
    QUOIN_TRY(const fs::path aside, new_name(home, staging_prefix));
    tell(on_step, "abort: the present hierarchy stays");
    QUOIN_CHECK(move_durably(pending->folder, aside));
    if (confirm) {
        tell(on_step, "ask whether a device has moved meanwhile");
        auto agreed = confirm();
        if (!agreed) {
            QUOIN_CHECK(move_durably(aside, pending->folder));
            return agreed;
        }
    }
    tell(on_step, "remove the new one");
    return remove_staged(home, notices);
}

Result<std::optional<Migration>> pending_migration(const fs::path& home) {
    const fs::path folder = home / next_name;
    if (!fs::exists(folder) || is_settling(home)) return std::nullopt;
    QUOIN_TRY(PkiProfile profile, load_profile(folder));
    QUOIN_TRY(const Certificate root, first_of(folder / "pki" / "root.crt"));
    QUOIN_TRY(const Certificate issuing, first_of(folder / "pki" / "issuing.crt"));
    QUOIN_TRY(const Certificate new_with_old, first_of(folder / "pki" / "new-with-old.crt"));
    return Migration{.profile = std::move(profile),
                     .folder = folder,
                     .root = root,
                     .issuing = issuing,
                     .new_with_old = new_with_old};
}

}  // namespace quoin::server
