#include "server/pki/rotation.hpp"

#include <span>
#include <system_error>

#include "host/audit/signers.hpp"
#include "host/crypto/library.hpp"
#include "host/files/files.hpp"
#include "host/keys/program_key.hpp"
#include "server/config/settings.hpp"
#include "server/pki/issuing.hpp"
#include "server/pki/migration.hpp"
#include "server/pki/offline_root.hpp"
#include "server/pki/root.hpp"

namespace quoin::server {
namespace {

namespace fs = std::filesystem;
using crypto::Passphrase;
using crypto::PrivateKey;
using x509::Certificate;

constexpr const char* request_folder = "pki-request";

Result<void> remove_folder(const fs::path& folder) {
    std::error_code failure;
    fs::remove_all(folder, failure);
    if (!failure) return files::sync_folder(folder.parent_path());
    return fail(Code::resource_unavailable, "{}: cannot remove: {}", folder.string(),
                failure.message());
}

Result<unsigned> number_of(const IssuingCa& ca) {
    return issuing_number(ca.certificate.common_name(), ca.site);
}

Result<Certificate> root_of(const fs::path& home) { return first_of(home / "pki" / "root.crt"); }

// Under the lock, and settled.
Result<IssuingCa> open_present(const fs::path& home) {
    QUOIN_TRY(const auto migration, pending_migration(home));
    if (!migration) return open_issuing_ca(home, home);
    return fail(Code::input_conflict,
                "{}: the plant migrates to another root: finish or abort that first",
                home.string());
}

// One that is there and not answered is left as it is.
Result<fs::path> request_locked(const fs::path& home, const IssuingCa& present,
                                const KeyNotices& notices, const OnStep& on_step) {
    const fs::path folder = home / request_folder;
    fs::path file = folder / "issuing.csr";
    if (fs::exists(file)) return file;
    tell(on_step, "make the new issuing CA's key");
    QUOIN_TRY(const unsigned number, number_of(present));
    QUOIN_TRY(const std::string prefix,
              keys::program_key_prefix(issuing_key_use(number + 1), present.owner));
    // Of a request that was cut off.
    QUOIN_CHECK(
        keys::remove_other_program_keys(present.keys, prefix, nullptr, notices.on_unreached));
    QUOIN_CHECK(files::make_private_folder(folder));
    QUOIN_TRY(const PrivateKey key,
              make_key(present.keys, present.owner, issuing_key_use(number + 1),
                       present.profile.algorithms.issuing, notices));
    QUOIN_CHECK(write_key(folder / "issuing.key", key, present.unlock));
    QUOIN_TRY(const std::string csr,
              x509::Request::make_der(key, issuing_name(present.site, number + 1)));
    tell(on_step, "write the request to the root");
    QUOIN_CHECK(files::write_atomically(file, csr, 0600));
    return file;
}

// STAGED/pki: as it is, by links, which no disk can tear; but with the new one in the place of the
// present one, and that among the earlier ones.
Result<void> stage_pki(const IssuingCa& present, const IssuingCa& next, const fs::path& home,
                       const fs::path& staged, bool devices_now) {
    const fs::path pki = staged / "pki";
    std::error_code failure;
    fs::copy(home / "pki", pki, fs::copy_options::recursive | fs::copy_options::create_hard_links,
             failure);
    if (failure) {
        return fail(Code::resource_unavailable, "{}: {}", pki.string(), failure.message());
    }
    const fs::path earlier = pki / earlier_name / present.certificate.serial_hex();
    QUOIN_CHECK(files::make_private_folder(earlier));
    for (const char* name : {"issuing.crt", "issuing.key"}) {
        QUOIN_TRY(const std::string text, files::read(home / "pki" / name));
        QUOIN_CHECK(files::write_atomically(earlier / name, text, 0600));
    }
    if (devices_now) QUOIN_CHECK(files::write_atomically(earlier / renew_now_name, "", 0600));
    QUOIN_CHECK(write_key(pki / "issuing.key", next.key, next.unlock));
    QUOIN_CHECK(write_certificates(pki / "issuing.crt", std::span(&next.certificate, 1)));
    for (const auto& entry : fs::recursive_directory_iterator(pki, failure)) {
        if (entry.is_directory()) QUOIN_CHECK(files::sync_folder(entry.path()));
    }
    return files::sync_folder(pki);
}

Result<IssuingCa> requested(const fs::path& home, const IssuingCa& present,
                            const fs::path& certificate) {
    QUOIN_TRY(const Certificate root, root_of(home));
    QUOIN_TRY(Certificate issuing, first_of(certificate));
    QUOIN_TRY(PrivateKey key,
              keys::load_program_key(present.keys, home / request_folder / "issuing.key",
                                     present.unlock));
    QUOIN_CHECK(check_answer(issuing, root, key, certificate));
    QUOIN_TRY(const unsigned number, number_of(present));
    QUOIN_TRY(const unsigned its, issuing_number(issuing.common_name(), present.site));
    if (its != number + 1) {
        return fail(Code::input_invalid, "{}: is \"{}\", and the present one is \"{}\"",
                    certificate.string(), issuing.common_name(), present.certificate.common_name());
    }
    QUOIN_TRY(const Settings settings, load_settings(home));
    QUOIN_TRY(Passphrase unlock, crypto::existing_unlock_key(home / "unlock.key"));
    return IssuingCa{.site = present.site,
                     .owner = present.owner,
                     .profile = present.profile,
                     .addresses = status_addresses(settings.status_url, issuing.serial_hex()),
                     .key = std::move(key),
                     .certificate = std::move(issuing),
                     .unlock = std::move(unlock),
                     .keys = present.keys};
}

// True: by a call before this one, which was cut off behind it.
Result<bool> is_installed(const IssuingCa& present, const fs::path& certificate) {
    QUOIN_TRY(const Certificate issuing, first_of(certificate));
    QUOIN_TRY(const auto its, issuing.sha256());
    QUOIN_TRY(const auto ours, present.certificate.sha256());
    return its == ours;
}

Result<void> make_switch(const RotationInstall& request, const IssuingCa& present,
                         const KeyNotices& notices, const OnStep& on_step) {
    const fs::path& home = request.home;
    if (!fs::exists(home / request_folder / "issuing.csr")) {
        return fail(Code::input_not_found,
                    "{}: has made no request; run: quoin pki issuing request", home.string());
    }
    QUOIN_TRY(const IssuingCa next, requested(home, present, request.certificate));
    QUOIN_CHECK(remove_staged(home, notices));
    QUOIN_TRY(const fs::path staged, new_name(home, staging_prefix));
    QUOIN_CHECK(files::make_private_folder(staged / "services"));
    tell(on_step, "make services by the new issuing CA");
    QUOIN_TRY(const auto quoind_out, keep_quoind_out(home));
    QUOIN_CHECK(issue_services(next, home / "services", staged / "services", notices));
    QUOIN_CHECK(audit::keep_signer(home));
    tell(on_step, "put the present one among the earlier ones");
    QUOIN_CHECK(stage_pki(present, next, home, staged, request.devices_now));
    for (const char* folder : {"services", "pki"}) QUOIN_CHECK(mark(staged / folder));
    tell(on_step, "rotate: the new issuing CA is the plant's");
    return switch_to(staged, home, on_step);
}

Result<void> install_locked(const RotationInstall& request, const IssuingCa& present,
                            const KeyNotices& notices, const OnStep& on_step) {
    QUOIN_TRY(const bool done, is_installed(present, request.certificate));
    if (!done) {
        auto made = make_switch(request, present, notices, on_step);
        if (!made) {
            static_cast<void>(remove_staged(request.home, notices));  // or by the next one
            return made;
        }
    }
    tell(on_step, "forget the request");
    QUOIN_CHECK(remove_folder(request.home / request_folder));
    // Nothing runs on these files: who runs has read them, and their keys are in the store.
    return remove_retired(request.home, notices);
}

}  // namespace

Result<fs::path> request_rotation(const fs::path& home, const KeyNotices& notices,
                                  const OnStep& on_step) {
    QUOIN_CHECK(crypto::provider_is_loaded());
    QUOIN_TRY(const files::Lock lock, files::lock_folder(home));
    QUOIN_TRY(const bool settled, settle_locked(home, on_step));
    static_cast<void>(settled);
    QUOIN_TRY(const IssuingCa present, open_present(home));
    return request_locked(home, present, notices, on_step);
}

Result<void> install_rotation(const RotationInstall& request, const KeyNotices& notices,
                              const OnStep& on_step) {
    QUOIN_CHECK(crypto::provider_is_loaded());
    QUOIN_TRY(const files::Lock lock, files::lock_folder(request.home));
    QUOIN_TRY(const bool settled, settle_locked(request.home, on_step));
    static_cast<void>(settled);
    QUOIN_TRY(const IssuingCa present, open_present(request.home));
    return install_locked(request, present, notices, on_step);
}

Result<void> rotate_issuing(const RotationRequest& request, const Passphrase& root,
                            const KeyNotices& notices, const OnStep& on_step) {
    QUOIN_CHECK(crypto::provider_is_loaded());
    const fs::path& home = request.home;
    QUOIN_TRY(const files::Lock lock, files::lock_folder(home));
    QUOIN_TRY(const bool settled, settle_locked(home, on_step));
    static_cast<void>(settled);
    QUOIN_TRY(const IssuingCa present, open_present(home));
    const fs::path certificate = home / request_folder / "issuing.crt";
    if (!fs::exists(certificate)) {
        QUOIN_TRY(const fs::path csr, request_locked(home, present, notices, on_step));
        QUOIN_TRY(const Settings settings, load_settings(home));
        tell(on_step, "certify it by the root");
        QUOIN_TRY(const fs::path record, certify_request({.home = home,
                                                          .request = csr,
                                                          .out = certificate,
                                                          .status_url = settings.status_url,
                                                          .witnesses = request.witnesses,
                                                          .root_key = request.root_key},
                                                         root));
    }
    return install_locked(
        {.home = home, .certificate = certificate, .devices_now = request.devices_now}, present,
        notices, on_step);
}

Result<bool> retire_issuing(const fs::path& home, const std::string& serial,
                            const KeyNotices& notices) {
    const fs::path folder = home / "pki" / earlier_name / serial;
    if (!fs::exists(folder)) return true;
    QUOIN_TRY(const files::Lock lock, files::lock_folder(home));
    if (is_settling(home)) return false;
    QUOIN_TRY(const Settings settings, load_settings(home));
    QUOIN_TRY(const Certificate root, root_of(home));
    QUOIN_TRY(const std::string owner, owner_of(root));
    QUOIN_TRY(const std::string site, site_of(root));
    QUOIN_TRY(const Certificate issuing, first_of(folder / "issuing.crt"));
    QUOIN_TRY(const unsigned number, issuing_number(issuing.common_name(), site));
    QUOIN_TRY(const std::string prefix, keys::program_key_prefix(issuing_key_use(number), owner));
    bool is_reached = true;
    const auto on_unreached = [&](std::string_view store, const Error& why) {
        is_reached = false;
        notices.on_unreached(store, why);
    };
    QUOIN_CHECK(keys::remove_other_program_keys(settings.keys, prefix, nullptr, on_unreached));
    if (is_reached) QUOIN_CHECK(remove_folder(folder));
    return is_reached;
}

}  // namespace quoin::server
