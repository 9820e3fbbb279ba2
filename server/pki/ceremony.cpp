#include "server/pki/ceremony.hpp"

#include <fcntl.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <system_error>

#include "host/audit/signers.hpp"
#include "host/crypto/library.hpp"
#include "host/files/files.hpp"
#include "host/x509/certificate.hpp"
#include "server/config/settings.hpp"

namespace quoin::server {
namespace {

namespace fs = std::filesystem;
using crypto::Passphrase;
using crypto::PrivateKey;
using x509::Certificate;
using x509::Identity;
using x509::Kind;
using x509::Profile;

constexpr std::chrono::hours year{24 * 365};
constexpr auto root_lifetime = 20 * year;
constexpr auto issuing_lifetime = 10 * year;
constexpr auto leaf_lifetime = 2 * year;
// quoind writes a fresh list when it starts, and then by its own configuration.
constexpr std::chrono::hours first_crl_lifetime{24 * 7};
constexpr std::string_view staging_prefix = ".pki-init-";

struct Service {
    const char* name;
    Profile profile;
};
constexpr std::array services{
    Service{"quoind", Profile::server},     Service{"broker", Profile::server},
    Service{"telemetry", Profile::service}, Service{"verifier", Profile::service},
    Service{"audit", Profile::service},     Service{"ra", Profile::ra},
    Service{"ocsp", Profile::ocsp},
};

// The issuing CA with its key opened.
struct Authority {
    std::string site;
    std::string owner;  // of owner_of()
    crypto::Algorithm leaf_algorithm;
    crypto::Algorithm ocsp_algorithm;
    PrivateKey key;
    Certificate certificate;
    Passphrase unlock;
    keys::Choice keys;  // of PkiRequest, or of quoin.toml
};

// A folder that is removed unless it was kept.
class Staging {
public:
    explicit Staging(fs::path path) : path_(std::move(path)) {}
    Staging(const Staging&) = delete;
    Staging& operator=(const Staging&) = delete;
    ~Staging() {
        std::error_code ignored;  // nothing better can be done with it here
        if (!path_.empty()) fs::remove_all(path_, ignored);
    }
    const fs::path& path() const { return path_; }
    void keep() { path_.clear(); }

private:
    fs::path path_;
};

Result<void> check(const PkiRequest& request, const Passphrase& root_passphrase) {
    if (!x509::is_valid_id(request.site) || request.site == "birth" || request.site[0] == '.') {
        return fail(Code::input_invalid,
                    "site \"{}\": use 1 to 128 of A-Z a-z 0-9 _ . -, not \".\" first (\"birth\" is "
                    "taken)",
                    request.site);
    }
    if (request.names.empty()) {
        return fail(Code::input_invalid, "give at least one name under which the plant is reached");
    }
    if (root_passphrase.expose().size() < min_root_passphrase_size) {
        return fail(Code::input_invalid, "the root passphrase needs at least {} characters",
                    min_root_passphrase_size);
    }
    if (fs::exists(request.home / "pki")) {
        return fail(Code::input_conflict, "{}: has a PKI already", request.home.string());
    }
    return {};
}

Result<void> write_certificates(const fs::path& file, std::span<const Certificate> chain) {
    std::string pem;
    for (const Certificate& certificate : chain) {
        QUOIN_TRY(const std::string one, certificate.pem());
        pem += one;
    }
    return files::write_atomically(file, pem, 0600);
}

Result<void> write_key(const fs::path& file, const PrivateKey& key, const Passphrase& passphrase,
                       bool slow = false) {
    QUOIN_TRY(const std::string pem, key.to_encrypted_pem(passphrase, slow));
    return files::write_atomically(file, pem, 0600);
}

// Plants may share a store and even the name of their site: keys belong to the root.
Result<std::string> owner_of(const Certificate& root) {
    QUOIN_TRY(const auto digest, root.sha256());
    return crypto::to_hex(digest);
}

Result<PrivateKey> make_key(const keys::Choice& choice, const std::string& owner,
                            std::string_view name, crypto::Algorithm algorithm,
                            const KeyNotices& notices) {
    QUOIN_TRY(const std::string prefix, keys::program_key_prefix(name, owner));
    return keys::make_program_key(choice, prefix, algorithm, notices.on_fallback);
}

Result<void> issue_leaf(const Authority& authority, const fs::path& folder, const PrivateKey& key,
                        const x509::IssueRequest& request) {
    QUOIN_TRY(const auto public_key, key.public_key());
    QUOIN_TRY(const Certificate leaf,
              x509::issue(authority.key, authority.certificate, public_key, request));
    QUOIN_CHECK(write_key(folder / (request.common_name + ".key"), key, authority.unlock));
    const std::array chain{leaf, authority.certificate};
    return write_certificates(folder / (request.common_name + ".crt"), chain);
}

Result<void> issue_service(const Authority& authority, const fs::path& folder,
                           const Service& service, const std::vector<std::string>& names,
                           const KeyNotices& notices) {
    const bool is_server = service.profile == Profile::server;
    const crypto::Algorithm algorithm =
        service.profile == Profile::ocsp ? authority.ocsp_algorithm : authority.leaf_algorithm;
    QUOIN_TRY(const PrivateKey key,
              make_key(authority.keys, authority.owner, service.name, algorithm, notices));
    return issue_leaf(authority, folder, key,
                      {.profile = service.profile,
                       .common_name = service.name,
                       .identity = Identity{Kind::service, authority.site, service.name, {}},
                       .names = is_server ? names : std::vector<std::string>{},
                       .lifetime = leaf_lifetime});
}

Result<void> issue_operator(const Authority& authority, const fs::path& folder,
                            const std::string& name, x509::Role role) {
    // A person takes it away.
    QUOIN_TRY(const PrivateKey key, PrivateKey::generate(authority.leaf_algorithm));
    return issue_leaf(authority, folder, key,
                      {.profile = Profile::operator_,
                       .common_name = name,
                       .identity = Identity{Kind::operator_, authority.site, name, role},
                       .names = {},
                       .lifetime = leaf_lifetime});
}

x509::IssueRequest ca_request(Profile profile, const std::string& site, std::string_view rank,
                              std::chrono::seconds lifetime) {
    return {.profile = profile,
            .common_name = fmt::format("{} {}", site, rank),
            .identity = {},
            .names = {},
            .lifetime = lifetime,
            .only_site = site};
}

Result<Certificate> first_of(const fs::path& file) {
    QUOIN_TRY(const auto chain, Certificate::load(file));
    return chain.front();
}

// Root and issuing CA into `folder`, and the issuing CA's first list.
Result<Authority> make_authorities(const PkiRequest& request, const Passphrase& root_passphrase,
                                   Passphrase unlock, const fs::path& folder,
                                   const KeyNotices& notices) {
    const tls::SuiteInfo& suite = tls::info(request.suite);
    QUOIN_TRY(const PrivateKey root_key, PrivateKey::generate(suite.root));
    QUOIN_TRY(
        const Certificate root,
        x509::issue_root(root_key, ca_request(Profile::root, request.site, "root", root_lifetime)));
    // Before any key that is to be found again by it: remove_leftovers().
    QUOIN_CHECK(write_certificates(folder / "root.crt", std::span(&root, 1)));
    QUOIN_TRY(std::string owner, owner_of(root));
    QUOIN_TRY(PrivateKey key, make_key(*request.keys, owner, "issuing", suite.issuing, notices));
    QUOIN_TRY(const auto public_key, key.public_key());
    QUOIN_TRY(Certificate issuing,
              x509::issue(root_key, root, public_key,
                          ca_request(Profile::issuing, request.site, "issuing", issuing_lifetime)));
    QUOIN_CHECK(write_key(folder / "root.key", root_key, root_passphrase, true));
    QUOIN_CHECK(write_key(folder / "issuing.key", key, unlock));
    QUOIN_CHECK(write_certificates(folder / "issuing.crt", std::span(&issuing, 1)));
    QUOIN_TRY(const std::string crl, x509::issue_crl_pem(key, issuing, {}, 1, first_crl_lifetime));
    QUOIN_CHECK(files::write_atomically(folder / "crl.pem", crl, 0600));
    return Authority{.site = request.site,
                     .owner = std::move(owner),
                     .leaf_algorithm = suite.service,
                     .ocsp_algorithm = suite.ocsp,
                     .key = std::move(key),
                     .certificate = std::move(issuing),
                     .unlock = std::move(unlock),
                     .keys = *request.keys};
}

Result<void> fill(const PkiRequest& request, const Passphrase& root_passphrase,
                  const fs::path& folder, const KeyNotices& notices) {
    for (const char* name : {"pki", "pki/makers", "services", "operator"}) {
        QUOIN_CHECK(files::make_private_folder(folder / name));
    }
    QUOIN_TRY(Passphrase unlock, crypto::unlock_key(request.home / "unlock.key"));
    QUOIN_TRY(
        const Authority authority,
        make_authorities(request, root_passphrase, std::move(unlock), folder / "pki", notices));
    for (const Service& service : services) {
        QUOIN_CHECK(issue_service(authority, folder / "services", service, request.names, notices));
    }
    return issue_operator(authority, folder / "operator", "admin", x509::Role::admin);
}

std::string first_configuration(const PkiRequest& request) {
    return fmt::format(
        "# quoind's configuration. Every key: server/config/settings.hpp.\n"
        "site = \"{}\"\n"
        "suite = \"{}\"\n"
        "{}"
        "{}"
        "\n"
        "[listen]\n"
        "https = \"127.0.0.1:8443\"\n"
        "http = \"127.0.0.1:8080\"\n"
        "\n"
        "[broker]\n"
        "host = \"127.0.0.1\"\n"
        "port = 8883\n"
        "{}",
        request.site, tls::info(request.suite).name,
        request.suite == tls::Suite::classical ? "danger_allow_classical = true\n" : "",
        request.keys->production ? "profile = \"production\"\n" : "",
        keys::keys_table(*request.keys));
}

Result<void> write_configuration(const PkiRequest& request) {
    auto written = files::create(request.home / "quoin.toml", first_configuration(request), 0600);
    if (!written && written.error().code != Code::input_conflict) return written;
    return {};
}

Result<void> move_folder(const fs::path& from, const fs::path& to) {
    std::error_code failure;
    fs::rename(from, to, failure);
    if (failure) {
        return fail(Code::resource_unavailable, "{}: cannot rename to {}: {}", from.string(),
                    to.string(), failure.message());
    }
    return {};
}

// pki/ comes last: with it the PKI is there. Certificates without it are what an interrupted init
// left; they chain to nothing, and are put aside.
Result<void> move_in(const fs::path& staged, const fs::path& home) {
    for (const char* name : {"services", "operator"}) {
        if (fs::exists(home / name)) {
            QUOIN_TRY(const std::string suffix, crypto::random_hex(4));
            QUOIN_CHECK(move_folder(home / name, home / (std::string(name) + ".old-" + suffix)));
        }
        QUOIN_CHECK(move_folder(staged / name, home / name));
    }
    return move_folder(staged / "pki", home / "pki");
}

// Keys in the store for a PKI that was begun in `staged` and did not come to be. False: some stay,
// for their store cannot be reached.
Result<bool> remove_leftovers(const keys::Choice& choice, const fs::path& staged,
                              const KeyNotices& notices) {
    const fs::path file = staged / "pki" / "root.crt";
    if (!fs::exists(file)) return true;
    QUOIN_TRY(const Certificate root, first_of(file));
    QUOIN_TRY(const std::string owner, owner_of(root));
    bool is_reached = true;
    const auto on_unreached = [&](std::string_view store, const Error& why) {
        is_reached = false;
        notices.on_unreached(store, why);
    };
    std::vector<std::string> names{"issuing"};
    for (const Service& service : services) names.emplace_back(service.name);
    for (const std::string& name : names) {
        QUOIN_TRY(const std::string prefix, keys::program_key_prefix(name, owner));
        QUOIN_CHECK(keys::remove_other_program_keys(choice, prefix, nullptr, on_unreached));
    }
    return is_reached;
}

// What a crash in the middle of an init left.
Result<void> remove_begun(const keys::Choice& choice, const fs::path& home,
                          const KeyNotices& notices) {
    std::error_code failure;
    std::vector<fs::path> begun;
    for (const auto& entry : fs::directory_iterator(home, failure)) {
        if (entry.path().filename().string().starts_with(staging_prefix)) begun.push_back(entry);
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
                "{}: quoind runs on certificates that were renewed already: restart the plant, "
                "then renew again",
                home.string());
}

Result<Authority> open_authority(const fs::path& home) {
    const fs::path folder = home / "pki";
    if (!fs::exists(folder)) {
        return fail(Code::input_not_found, "{}: has no PKI; run: quoin pki init", home.string());
    }
    QUOIN_TRY(Settings settings, load_settings(home));
    QUOIN_TRY(Passphrase unlock, crypto::existing_unlock_key(home / "unlock.key"));
    QUOIN_TRY(PrivateKey key,
              keys::load_program_key(settings.keys, folder / "issuing.key", unlock));
    QUOIN_TRY(const Certificate root, first_of(folder / "root.crt"));
    QUOIN_TRY(std::string owner, owner_of(root));
    QUOIN_TRY(Certificate certificate, first_of(folder / "issuing.crt"));
    // Site and algorithm are those of what was issued before.
    QUOIN_TRY(const Certificate quoind, first_of(home / "services" / "quoind.crt"));
    QUOIN_TRY(const Identity identity, quoind.identity());
    QUOIN_TRY(const auto public_key, quoind.public_key());
    QUOIN_TRY(const auto algorithm, public_key.algorithm());
    return Authority{.site = identity.site,
                     .owner = std::move(owner),
                     .leaf_algorithm = algorithm,
                     .ocsp_algorithm = tls::info(settings.suite).ocsp,
                     .key = std::move(key),
                     .certificate = std::move(certificate),
                     .unlock = std::move(unlock),
                     .keys = std::move(settings.keys)};
}

// Those that an earlier renewal replaced. The present ones stay in the store beside the new ones:
// running services use them until they start again.
Result<void> remove_unused_keys(const Authority& authority, const fs::path& folder,
                                const KeyNotices& notices) {
    for (const Service& service : services) {
        QUOIN_TRY(const std::string prefix,
                  keys::program_key_prefix(service.name, authority.owner));
        QUOIN_TRY(const Certificate present,
                  first_of(folder / (std::string(service.name) + ".crt")));
        QUOIN_TRY(const crypto::PublicKey key, present.public_key());
        QUOIN_CHECK(
            keys::remove_other_program_keys(authority.keys, prefix, &key, notices.on_unreached));
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
    // A home that we make is ours to remove again.
    Staging made(fs::exists(request.home) ? fs::path() : request.home);
    QUOIN_CHECK(files::make_private_folder(request.home));
    QUOIN_TRY(const files::Lock lock, files::lock_folder(request.home));
    QUOIN_CHECK(remove_begun(*request.keys, request.home, notices));
    std::string name = (request.home / fmt::format("{}XXXXXX", staging_prefix)).string();
    if (::mkdtemp(name.data()) == nullptr) {
        return fail(Code::resource_unavailable, "{}: cannot write here: {}", request.home.string(),
                    std::generic_category().message(errno));
    }
    const Staging staging{fs::path(name)};
    const auto make = [&]() -> Result<void> {
        QUOIN_CHECK(fill(request, root_passphrase, staging.path(), notices));
        QUOIN_CHECK(write_configuration(request));
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
    QUOIN_TRY(const Authority authority, open_authority(home));
    return issue_operator(authority, folder, name, role);
}

Result<void> renew_services(const fs::path& home, const KeyNotices& notices) {
    QUOIN_TRY(const Authority authority, open_authority(home));
    QUOIN_TRY(const files::Lock renewal, files::lock_folder(home / "pki"));  // one at a time
    QUOIN_TRY(const auto lock, keep_quoind_out(home));
    if (authority.keys.store.empty() && authority.key.is_in_store()) {
        return fail(Code::config_invalid,
                    "{}: is in quoin-se, and quoin.toml would have the services' keys in files: "
                    "set store in [keys]",
                    (home / "pki" / "issuing.key").string());
    }
    QUOIN_TRY(const Certificate quoind, first_of(home / "services" / "quoind.crt"));
    QUOIN_TRY(const auto names, quoind.server_names());
    QUOIN_CHECK(remove_unused_keys(authority, home / "services", notices));
    std::string name = (home / ".services-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
        return fail(Code::resource_unavailable, "{}: cannot write here: {}", home.string(),
                    std::generic_category().message(errno));
    }
    const Staging staging{fs::path(name)};
    for (const Service& service : services) {
        QUOIN_CHECK(issue_service(authority, staging.path(), service, names, notices));
    }
    // What the old audit key has signed must still be believed.
    QUOIN_CHECK(audit::keep_signer(home));
    // Exchanged in one step, so that a crash leaves the old ones or the new ones; then the old go.
    if (::renameat2(AT_FDCWD, staging.path().c_str(), AT_FDCWD, (home / "services").c_str(),
                    RENAME_EXCHANGE) != 0) {
        return fail(Code::resource_unavailable, "{}: cannot exchange the services: {}",
                    home.string(), std::generic_category().message(errno));
    }
    return {};
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
