#include "agent/identity.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "host/files/files.hpp"
#include "host/keys/program_key.hpp"

namespace quoin::agent {
namespace {

namespace fs = std::filesystem;

constexpr mode_t private_mode = 0600;
constexpr std::size_t max_key_file = 16U << 10U;  // bytes
constexpr std::size_t max_suite_file = 64;        // bytes
constexpr const char* asked_name = "asked";

// The number of a folder identity/N; nothing for other names.
std::optional<unsigned> number_of(const fs::path& folder) {
    const std::string name = folder.filename().string();
    unsigned number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error != std::errc{} || end != name.data() + name.size()) return std::nullopt;
    return number;
}

Result<std::string> pem_of(std::span<const x509::Certificate> chain) {
    std::string all;
    for (const x509::Certificate& certificate : chain) {
        QUOIN_TRY(const std::string pem, certificate.pem());
        all += pem;
    }
    return all;
}

Result<unsigned> next_number(const fs::path& folder) {
    unsigned highest = 0;
    std::error_code error;
    for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
        highest = std::max(highest, number_of(at->path()).value_or(0));
    }
    if (error) {
        return fail(Code::resource_unavailable, "{}: {}", folder.string(), error.message());
    }
    return highest + 1;
}

Result<tls::Suite> suite_of(const fs::path& folder) {
    QUOIN_TRY(std::string name, files::read(folder / "suite", max_suite_file));
    if (name.ends_with('\n')) name.pop_back();
    return tls::suite_by_name(name, true);
}

Result<void> write_suite(const fs::path& folder, tls::Suite suite) {
    const std::string name(tls::info(suite).name);
    return files::write_atomically(folder / "suite", name + "\n", private_mode);
}

Result<void> remove_folder(const fs::path& folder) {
    std::error_code error;
    fs::remove_all(folder, error);
    if (!error) return {};
    return fail(Code::resource_unavailable, "{}: {}", folder.string(), error.message());
}

void remove_others(const fs::path& folder, const std::string& kept) {
    std::error_code error;
    for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
        std::error_code ignored;  // what stays is removed the next time; `current` does not name it
        if (number_of(at->path()) && at->path().filename() != kept)
            fs::remove_all(at->path(), ignored);
    }
}

}  // namespace

Result<IdentityStore> IdentityStore::open(fs::path home, keys::AttestationStores stores) {
    QUOIN_TRY(crypto::Passphrase unlock, crypto::existing_unlock_key(home / "unlock.key"));
    return IdentityStore(std::move(home), std::move(unlock), std::move(stores));
}

Result<Birth> IdentityStore::birth() const {
    QUOIN_TRY(auto chain, x509::Certificate::load(home_ / "birth.crt"));
    QUOIN_TRY(const x509::Identity named, chain.front().identity());
    if (named.kind != x509::Kind::birth) {
        return fail(Code::config_invalid, "{}: not a birth certificate but {}",
                    (home_ / "birth.crt").string(), x509::to_uri(named));
    }
    return Birth{named.id, std::move(chain)};
}

Result<tls::Credentials> IdentityStore::birth_credentials() const {
    QUOIN_TRY(Birth named, birth());
    QUOIN_TRY(crypto::PrivateKey key,
              keys::load_program_key(stores_.keys, home_ / "birth.key", unlock_));
    return tls::Credentials{std::move(named.chain), std::move(key)};
}

Result<std::optional<fs::path>> IdentityStore::current_folder() const {
    const fs::path link = home_ / "identity" / "current";
    std::error_code error;
    const fs::path target = fs::read_symlink(link, error);
    if (error == std::errc::no_such_file_or_directory) return std::nullopt;
    if (error || !number_of(target)) {
        return fail(Code::integrity_mismatch,
                    "{}: not a link to a folder identity/N; remove it to enrol"
                    " again",
                    link.string());
    }
    return home_ / "identity" / target;
}

Result<std::optional<Identity>> IdentityStore::current() const {
    QUOIN_TRY(const std::optional<fs::path> folder, current_folder());
    if (!folder) return std::nullopt;
    QUOIN_TRY(Identity identity, load(*folder));
    return identity;
}

Result<std::optional<Certificates>> IdentityStore::certificates() const {
    QUOIN_TRY(const std::optional<fs::path> folder, current_folder());
    if (!folder) return std::nullopt;
    QUOIN_TRY(const auto chain, x509::Certificate::load(*folder / "device.crt"));
    Certificates found{chain.front(), std::nullopt};
    if (fs::exists(*folder / "attest.crt")) {
        QUOIN_TRY(const auto attest, x509::Certificate::load(*folder / "attest.crt"));
        found.attestation = attest.front();
    }
    return found;
}

Result<std::optional<Standing>> IdentityStore::standing() const {
    QUOIN_TRY(const std::optional<fs::path> folder, current_folder());
    if (!folder || !fs::exists(*folder / "suite")) return std::nullopt;
    QUOIN_TRY(const tls::Suite suite, suite_of(*folder));
    QUOIN_TRY(auto anchors, x509::Certificate::load(*folder / "trust.crt"));
    return Standing{suite, std::move(anchors)};
}

Result<std::vector<fs::path>> IdentityStore::key_files() const {
    std::vector<fs::path> files;
    QUOIN_TRY(const std::optional<fs::path> folder, current_folder());
    for (const char* name : {"device.key", "attest.key"}) {
        if (folder && fs::exists(*folder / name)) files.push_back(*folder / name);
    }
    return files;
}

Result<Identity> IdentityStore::load(const fs::path& folder) const {
    QUOIN_TRY(auto chain, x509::Certificate::load(folder / "device.crt"));
    QUOIN_TRY(crypto::PrivateKey key,
              keys::load_program_key(stores_.keys, folder / "device.key", unlock_));
    QUOIN_TRY(const x509::Identity named, chain.front().identity());
    if (named.kind != x509::Kind::device) {
        return fail(Code::integrity_mismatch, "{}: names {}", (folder / "device.crt").string(),
                    x509::to_uri(named));
    }
    Identity identity{named.id, named.site, {std::move(chain), std::move(key)}, std::nullopt, {}};
    if (fs::exists(folder / "attest.crt")) {
        QUOIN_TRY(auto attest, x509::Certificate::load(folder / "attest.crt"));
        QUOIN_TRY(keys::AttestationKey attest_key, load_attestation_key(folder / "attest.key"));
        identity.attestation = {attest.front(), std::move(attest_key)};
    }
    return identity;
}

Result<keys::AttestationKey> IdentityStore::load_attestation_key(const fs::path& file) const {
    QUOIN_TRY(const std::string pem, files::read(file, max_key_file));
    auto key = keys::AttestationKey::from_pem(pem, unlock_, stores_);
    if (key) return key;
    return fail(key.error().code, "{}: {}", file.string(), key.error().message);
}

Result<void> IdentityStore::write(const Identity& identity, const fs::path& folder) const {
    QUOIN_TRY(const std::string chain, pem_of(identity.session.chain));
    QUOIN_TRY(const std::string key, identity.session.key.to_encrypted_pem(unlock_));
    QUOIN_CHECK(files::make_private_folder(folder));
    QUOIN_CHECK(files::write_atomically(folder / "device.key", key, private_mode));
    QUOIN_CHECK(files::write_atomically(folder / "device.crt", chain, private_mode));
    if (identity.standing) {
        QUOIN_TRY(const std::string trust, pem_of(identity.standing->anchors));
        QUOIN_CHECK(files::write_atomically(folder / "trust.crt", trust, private_mode));
        QUOIN_CHECK(write_suite(folder, identity.standing->suite));
    }
    if (!identity.attestation) return {};
    QUOIN_TRY(const std::string attest, identity.attestation->certificate.pem());
    QUOIN_TRY(const std::string attest_key, identity.attestation->key.pem(unlock_));
    QUOIN_CHECK(files::write_atomically(folder / "attest.key", attest_key, private_mode));
    return files::write_atomically(folder / "attest.crt", attest, private_mode);
}

Result<void> IdentityStore::switch_to(const std::string& number) const {
    const fs::path folder = home_ / "identity";
    const fs::path fresh = folder / ".current.new";
    std::error_code error;
    fs::remove(fresh, error);
    if (!error) fs::create_symlink(number, fresh, error);
    if (!error) fs::rename(fresh, folder / "current", error);
    if (error) {
        return fail(Code::resource_unavailable, "{}: cannot switch to {}: {}", folder.string(),
                    number, error.message());
    }
    return files::sync_folder(folder);
}

Result<void> IdentityStore::replace(const Identity& identity) const {
    const fs::path folder = home_ / "identity";
    QUOIN_CHECK(files::make_private_folder(folder));
    QUOIN_TRY(const unsigned number, next_number(folder));
    const std::string name = std::to_string(number);
    QUOIN_CHECK(write(identity, folder / name));
    QUOIN_CHECK(files::sync_folder(folder));
    QUOIN_CHECK(switch_to(name));
    remove_others(folder, name);
    return forget_asked();
}

Result<std::optional<Asked>> IdentityStore::asked() const {
    const fs::path folder = home_ / "identity" / asked_name;
    if (!fs::exists(folder)) return std::nullopt;
    QUOIN_TRY(const tls::Suite suite, suite_of(folder));
    QUOIN_TRY(crypto::PrivateKey session,
              keys::load_program_key(stores_.keys, folder / "device.key", unlock_));
    Asked asked{suite, std::move(session), std::nullopt};
    if (fs::exists(folder / "attest.key")) {
        QUOIN_TRY(asked.attestation, load_attestation_key(folder / "attest.key"));
    }
    // A crash between the switch to an identity and the end of its request.
    QUOIN_TRY(const auto on_disk, certificates());
    if (!on_disk) return asked;
    QUOIN_TRY(const crypto::PublicKey in_use, on_disk->session.public_key());
    QUOIN_TRY(const crypto::ByteVector in_use_der, in_use.spki_der());
    QUOIN_TRY(const crypto::PublicKey ours, asked.session.public_key());
    QUOIN_TRY(const crypto::ByteVector ours_der, ours.spki_der());
    if (in_use_der == ours_der) return std::nullopt;
    return asked;
}

Result<void> IdentityStore::keep(const Asked& asked) const {
    const fs::path folder = home_ / "identity";
    const fs::path fresh = folder / (std::string(asked_name) + ".new");
    QUOIN_TRY(const std::string session, asked.session.to_encrypted_pem(unlock_));
    QUOIN_CHECK(files::make_private_folder(folder));
    QUOIN_CHECK(remove_folder(fresh));
    QUOIN_CHECK(files::make_private_folder(fresh));
    QUOIN_CHECK(files::write_atomically(fresh / "device.key", session, private_mode));
    if (asked.attestation) {
        QUOIN_TRY(const std::string attestation, asked.attestation->pem(unlock_));
        QUOIN_CHECK(files::write_atomically(fresh / "attest.key", attestation, private_mode));
    }
    QUOIN_CHECK(write_suite(fresh, asked.suite));
    QUOIN_CHECK(remove_folder(folder / asked_name));
    std::error_code error;
    fs::rename(fresh, folder / asked_name, error);
    if (error) {
        return fail(Code::resource_unavailable, "{}: {}", fresh.string(), error.message());
    }
    return files::sync_folder(folder);
}

Result<void> IdentityStore::forget_asked() const {
    const fs::path folder = home_ / "identity" / asked_name;
    if (!fs::exists(folder)) return {};
    QUOIN_CHECK(remove_folder(folder));
    return files::sync_folder(folder.parent_path());
}

}  // namespace quoin::agent
