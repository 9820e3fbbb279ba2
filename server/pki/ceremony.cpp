#include "server/pki/ceremony.hpp"

#include <array>
#include <system_error>

#include "host/crypto/library.hpp"
#include "host/files/files.hpp"
#include "host/x509/certificate.hpp"
#include "server/config/settings.hpp"
#include "server/pki/issuing.hpp"
#include "server/pki/record.hpp"
#include "server/pki/root.hpp"
#include "server/pki/switching.hpp"

namespace quoin::server {
namespace {

namespace fs = std::filesystem;
using crypto::Passphrase;
using crypto::PrivateKey;
using x509::Certificate;

constexpr std::string_view init_prefix = ".pki-init-";

Result<void> check(const PkiRequest& request, const Passphrase& root_passphrase) {
    QUOIN_CHECK(check_site(request.site));
    QUOIN_CHECK(check_witnesses(request.witnesses));
    QUOIN_CHECK(check_root_passphrase(root_passphrase));
    if (request.names.empty()) {
        return fail(Code::input_invalid, "give at least one name under which the plant is reached");
    }
    if (fs::exists(request.home / "pki")) {
        return fail(Code::input_conflict, "{}: has a PKI already", request.home.string());
    }
    return {};
}

// Root and issuing CA into `staged`/pki, and all below them.
Result<void> fill(const PkiRequest& request, const Passphrase& root_passphrase,
                  const PkiProfile& profile, const fs::path& staged, const KeyNotices& notices) {
    QUOIN_CHECK(make_staged_folders(staged));
    QUOIN_TRY(Passphrase unlock, crypto::unlock_key(request.home / "unlock.key"));
    QUOIN_TRY(const Root root, make_root(profile, request.site, root_passphrase, staged / "pki"));
    QUOIN_TRY(std::string owner, owner_of(root.certificate));
    QUOIN_TRY(PrivateKey key,
              make_key(*request.keys, owner, "issuing", profile.algorithms.issuing, notices));
    QUOIN_TRY(const auto public_key, key.public_key());
    QUOIN_TRY(Certificate issuing, certify_issuing(root, profile, public_key, request.status_url));
    const IssuingCa ca{.site = request.site,
                       .owner = std::move(owner),
                       .profile = profile,
                       .addresses = status_addresses(request.status_url, issuing.serial_hex()),
                       .key = std::move(key),
                       .certificate = std::move(issuing),
                       .unlock = std::move(unlock),
                       .keys = *request.keys};
    return complete({.ca = ca,
                     .root = root.certificate,
                     .names = request.names,
                     .witnesses = request.witnesses,
                     .act = "root, issuing CA, services and operator made at once "
                            "(quoin pki init)",
                     .next_steps = root_key_steps(request.home / "pki" / "root.key")},
                    staged, notices);
}

// What a crash in the middle of an init left.
Result<void> remove_begun(const keys::Choice& choice, const fs::path& home,
                          const KeyNotices& notices) {
    std::error_code failure;
    std::vector<fs::path> begun;
    for (const auto& entry : fs::directory_iterator(home, failure)) {
        if (entry.path().filename().string().starts_with(init_prefix)) begun.push_back(entry);
    }
    for (const fs::path& staged : begun) {
        QUOIN_TRY(const bool is_done, remove_leftovers(choice, staged, notices));
        if (is_done) fs::remove_all(staged, failure);
    }
    if (failure) {
        return fail(Code::resource_unavailable, "{}: {}", home.string(), failure.message());
    }
    return {};
}

Result<bool> has_post_quantum_key(const Certificate& certificate) {
    QUOIN_TRY(const auto public_key, certificate.public_key());
    QUOIN_TRY(const auto algorithm, public_key.algorithm());
    return crypto::info(algorithm).post_quantum;
}

Result<void> check_maker(const Certificate& maker, const fs::path& home, const fs::path& file) {
    if (!maker.is_ca()) {
        return fail(Code::input_invalid, "{}: is not the certificate of a CA", file.string());
    }
    const auto public_key = maker.public_key();
    if (!public_key) {
        return fail(Code::input_invalid, "{}: {}", file.string(), public_key.error().message);
    }
    QUOIN_TRY(const bool is_quantum_safe, has_post_quantum_key(maker));
    QUOIN_TRY(const Certificate issuing, first_of(home / "pki" / "issuing.crt"));
    QUOIN_TRY(const bool must_be, has_post_quantum_key(issuing));
    if (must_be && !is_quantum_safe) {
        return fail(Code::input_invalid,
                    "{}: is a classical CA: who breaks its key could make births of any device",
                    file.string());
    }
    const std::array anchors{maker};
    const auto sound = x509::verify_chain(maker, {}, anchors, x509::Purpose::any);
    if (!sound) return fail(Code::input_invalid, "{}: {}", file.string(), sound.error().message);
    for (const char* own : {"root.crt", "issuing.crt"}) {
        QUOIN_TRY(const Certificate ours, first_of(home / "pki" / own));
        QUOIN_TRY(const auto our_digest, ours.sha256());
        QUOIN_TRY(const auto digest, maker.sha256());
        if (digest == our_digest) {
            return fail(Code::input_conflict, "{}: is the plant's own CA, not a manufacturer's",
                        file.string());
        }
    }
    return {};
}

}  // namespace

Result<PkiProfile> chosen_profile(const PkiRequest& request) {
    if (request.profile) return *request.profile;
    return find_profile(std::string(tls::info(request.suite).name));
}

std::vector<std::string> root_key_steps(const fs::path& key) {
    return {
        fmt::format("Copy {}\n       to two media and check that both can be read.", key.string()),
        fmt::format("Put the media into two sealed bags; note the numbers of their seals here:\n"
                    "       {0}   {0}",
                    std::string(24, '_')),
        "Give the root's passphrase to others than those who keep the media.",
        "Remove root.key, and root-passphrase.txt if there is one, from this machine.",
        "Compare the root's fingerprints above with those on the devices' trust.crt.",
        "Print this record, sign it, and keep it with the media."};
}

Result<std::string> status_url_of(const PkiRequest& request) {
    if (!request.status_url.empty()) QUOIN_CHECK(check_status_url(request.status_url));
    if (!fs::exists(request.home / "quoin.toml")) return request.status_url;
    QUOIN_TRY(const Settings settings, load_settings(request.home));
    if (request.status_url.empty() || settings.status_url == request.status_url) {
        return settings.status_url;
    }
    return fail(Code::input_conflict, "{}: [pki] status_url is not what is asked for",
                (request.home / "quoin.toml").string());
}

Result<keys::Choice> key_choice(const PkiRequest& request) {
    keys::Choice wanted = request.keys.value_or(keys::Choice());
    QUOIN_CHECK(keys::check_choice(wanted));
    if (!fs::exists(request.home / "quoin.toml")) return wanted;
    QUOIN_TRY(const Settings settings, load_settings(request.home));
    if (!request.keys || settings.keys == wanted) return settings.keys;
    return fail(Code::input_conflict,
                "{}: its profile or [keys] is not what is asked for: change it, or leave the "
                "options about keys away",
                (request.home / "quoin.toml").string());
}

Result<void> init_pki(const PkiRequest& asked, const Passphrase& root_passphrase,
                      const KeyNotices& notices) {
    QUOIN_CHECK(crypto::provider_is_loaded());
    QUOIN_CHECK(check(asked, root_passphrase));
    PkiRequest request = asked;
    QUOIN_TRY(request.keys, key_choice(asked));
    QUOIN_TRY(const PkiProfile profile, chosen_profile(asked));
    QUOIN_TRY(request.status_url, status_url_of(asked));
    // A home that we make is ours to remove again.
    Staging made(fs::exists(request.home) ? fs::path() : request.home);
    QUOIN_CHECK(files::make_private_folder(request.home));
    QUOIN_TRY(const files::Lock lock, files::lock_folder(request.home));
    QUOIN_CHECK(remove_begun(*request.keys, request.home, notices));
    QUOIN_TRY(const Staging staging, Staging::make(request.home, init_prefix));
    const auto make = [&]() -> Result<void> {
        QUOIN_CHECK(fill(request, root_passphrase, profile, staging.path(), notices));
        QUOIN_CHECK(write_configuration(request, profile.suite));
        return move_in(staging.path(), request.home);
    };
    auto done = make();
    if (done) {
        made.keep();
        return done;
    }
    const auto removed = remove_leftovers(*request.keys, staging.path(), notices);
    if (!removed) {
        done.error().message +=
            fmt::format("; keys stay in the store: {}", removed.error().message);
    }
    return done;
}

Result<void> add_operator(const fs::path& home, const std::string& name, x509::Role role) {
    if (!x509::is_valid_id(name)) {
        return fail(Code::input_invalid, "operator \"{}\": use 1 to 128 of A-Z a-z 0-9 _ . -",
                    name);
    }
    const fs::path folder = home / "operator";
    if (fs::exists(folder / (name + ".crt"))) {
        return fail(Code::input_conflict, "operator {} has a certificate already", name);
    }
    QUOIN_TRY(const bool settled, settle_home(home));
    static_cast<void>(settled);
    QUOIN_TRY(const IssuingCa ca, open_issuing_ca(home, home));
    return issue_operator(ca, folder, name, role);
}

Result<fs::path> trust_maker(const fs::path& home, const fs::path& certificate) {
    QUOIN_TRY(const auto chain, Certificate::load(certificate));
    if (chain.size() != 1) {
        return fail(Code::input_invalid, "{}: has {} certificates; give one CA a file",
                    certificate.string(), chain.size());
    }
    if (!fs::exists(home / "pki")) {
        return fail(Code::input_not_found, "{}: has no PKI; run: quoin pki init", home.string());
    }
    QUOIN_CHECK(check_maker(chain.front(), home, certificate));
    QUOIN_TRY(const auto digest, chain.front().sha256());
    fs::path file = home / "pki" / "makers" / (crypto::to_hex(digest) + ".crt");
    QUOIN_CHECK(write_certificates(file, chain));
    return file;
}

}  // namespace quoin::server
