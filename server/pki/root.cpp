#include "server/pki/root.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <system_error>

#include "host/files/files.hpp"
#include "server/config/settings.hpp"
#include "server/pki/record.hpp"

namespace quoin::server {
namespace {

namespace fs = std::filesystem;
using crypto::PrivateKey;
using x509::Certificate;
using x509::Profile;

// quoind writes a fresh list when it starts, and then by its own configuration.
constexpr std::chrono::hours first_crl_lifetime{24 * 7};
constexpr std::string_view root_suffix = " root";

x509::IssueRequest ca_request(Profile profile, const std::string& site, std::string name,
                              std::chrono::seconds lifetime) {
    return {.profile = profile,
            .common_name = std::move(name),
            .identity = {},
            .names = {},
            .lifetime = lifetime,
            .only_site = site};
}

std::string first_configuration(const PkiRequest& request, tls::Suite suite) {
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
        "{}{}",
        request.site, tls::info(suite).name,
        suite == tls::Suite::classical ? "danger_allow_classical = true\n" : "",
        request.keys->production ? "profile = \"production\"\n" : "",
        request.status_url.empty()
            ? ""
            : fmt::format("\n[pki]\nstatus_url = \"{}\"\n", request.status_url),
        keys::keys_table(*request.keys));
}

}  // namespace

Result<void> check_site(const std::string& site) {
    if (x509::is_valid_id(site) && site != "birth" && site[0] != '.') return {};
    return fail(Code::input_invalid,
                "site \"{}\": use 1 to 128 of A-Z a-z 0-9 _ . -, not \".\" first (\"birth\" is "
                "taken)",
                site);
}

Result<void> check_root_passphrase(const crypto::Passphrase& passphrase) {
    if (passphrase.expose().size() >= min_root_passphrase_size) return {};
    return fail(Code::input_invalid, "the root passphrase needs at least {} characters",
                min_root_passphrase_size);
}

Result<Root> make_root(const PkiProfile& profile, const std::string& site,
                       const crypto::Passphrase& passphrase, const fs::path& folder) {
    QUOIN_TRY(PrivateKey key, PrivateKey::generate(profile.algorithms.root));
    QUOIN_TRY(Certificate root,
              x509::issue_root(
                  key, ca_request(Profile::root, site, fmt::format("{}{}", site, root_suffix),
                                  profile.lifetime.root)));
    // Before any key that is to be found again by it: remove_leftovers().
    QUOIN_CHECK(write_certificates(folder / "root.crt", std::span(&root, 1)));
    QUOIN_CHECK(write_key(folder / "root.key", key, passphrase, true));
    QUOIN_CHECK(files::write_atomically(folder / "profile.toml", profile.text, 0600));
    return Root{.key = std::move(key), .certificate = std::move(root)};
}

Result<std::string> site_of(const Certificate& root) {
    std::string name = root.common_name();
    if (root.is_ca() && name.ends_with(root_suffix)) {
        name.resize(name.size() - root_suffix.size());
        if (check_site(name)) return name;
    }
    return fail(Code::config_invalid, "\"{}\" is not the root of a plant", root.common_name());
}

Result<Root> open_root(const fs::path& home, const fs::path& key_file,
                       const crypto::Passphrase& passphrase) {
    const fs::path file = key_file.empty() ? home / "pki" / "root.key" : key_file;
    QUOIN_TRY(Certificate certificate, first_of(home / "pki" / "root.crt"));
    QUOIN_TRY(PrivateKey key, PrivateKey::load(file, passphrase));
    QUOIN_TRY(const auto its_public, key.public_key());
    QUOIN_TRY(const auto its, its_public.spki_der());
    QUOIN_TRY(const auto root_public, certificate.public_key());
    QUOIN_TRY(const auto wanted, root_public.spki_der());
    if (its == wanted) return Root{.key = std::move(key), .certificate = std::move(certificate)};
    return fail(Code::input_invalid, "{}: is not the key of the plant's root", file.string());
}

std::string issuing_name(const std::string& site, unsigned number) {
    return number == 1 ? fmt::format("{} issuing", site)
                       : fmt::format("{} issuing {}", site, number);
}

Result<unsigned> issuing_number(const std::string& name, const std::string& site) {
    unsigned number = 1;
    const std::size_t digits = site.size() + std::string_view(" issuing ").size();
    if (name.size() > digits) {
        const char* const end = name.data() + name.size();
        if (std::from_chars(name.data() + digits, end, number).ptr != end) number = 0;
    }
    // Written in one way only.
    if (number > 0 && name == issuing_name(site, number)) return number;
    return fail(Code::config_invalid, "\"{}\" is not an issuing CA of {}", name, site);
}

std::string issuing_key_use(unsigned number) {
    return number == 1 ? "issuing" : fmt::format("issuing-{}", number);
}

Result<Certificate> certify_issuing(const Root& root, const PkiProfile& profile,
                                    const crypto::PublicKey& key, const std::string& status_url,
                                    unsigned number) {
    QUOIN_TRY(const std::string site, site_of(root.certificate));
    x509::IssueRequest request =
        ca_request(Profile::issuing, site, issuing_name(site, number), profile.lifetime.issuing);
    request.addresses = root_addresses(status_url);
    return x509::issue(root.key, root.certificate, key, request);
}

Result<void> make_staged_folders(const fs::path& staged) {
    for (const char* name : {"pki", "pki/makers", "services", "operator"}) {
        QUOIN_CHECK(files::make_private_folder(staged / name));
    }
    return {};
}

Result<void> complete(const Completion& completion, const fs::path& staged,
                      const KeyNotices& notices) {
    const IssuingCa& ca = completion.ca;
    const fs::path folder = staged / "pki";
    QUOIN_CHECK(write_key(folder / "issuing.key", ca.key, ca.unlock));
    QUOIN_CHECK(write_certificates(folder / "issuing.crt", std::span(&ca.certificate, 1)));
    QUOIN_TRY(const std::string crl,
              x509::issue_crl_pem(ca.key, ca.certificate, {}, 1, first_crl_lifetime));
    QUOIN_CHECK(files::write_atomically(folder / "crl.pem", crl, 0600));
    CeremonyRecord record{.act = completion.act,
                          .site = ca.site,
                          .profile = ca.profile,
                          .witnesses = completion.witnesses,
                          .made = {{"ROOT CA", completion.root}, {"ISSUING CA", ca.certificate}},
                          .next_steps = completion.next_steps};
    for (const Service& service : services()) {
        QUOIN_CHECK(issue_service(ca, staged / "services", service, completion.names, notices));
        QUOIN_TRY(Certificate made,
                  first_of(staged / "services" / (std::string(service.name) + ".crt")));
        record.made.push_back({"service", std::move(made)});
    }
    QUOIN_CHECK(issue_operator(ca, staged / "operator", "admin", x509::Role::admin));
    QUOIN_TRY(Certificate admin, first_of(staged / "operator" / "admin.crt"));
    record.made.push_back({"operator", std::move(admin)});
    QUOIN_TRY(const std::string text, ceremony_text(record));
    return files::write_atomically(folder / "ceremony.txt", text, 0600);
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

Result<void> write_configuration(const PkiRequest& request, tls::Suite suite) {
    auto written =
        files::create(request.home / "quoin.toml", first_configuration(request, suite), 0600);
    if (!written && written.error().code != Code::input_conflict) return written;
    return {};
}

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
    // Also of issuing CAs that a rotation has replaced.
    unsigned last = 1;
    if (fs::exists(staged / "pki" / "issuing.crt")) {
        QUOIN_TRY(const Certificate issuing, first_of(staged / "pki" / "issuing.crt"));
        QUOIN_TRY(const std::string site, site_of(root));
        QUOIN_TRY(last, issuing_number(issuing.common_name(), site));
    }
    std::vector<std::string> names;
    for (unsigned number = 1; number <= last; ++number) names.push_back(issuing_key_use(number));
    for (const Service& service : services()) names.emplace_back(service.name);
    for (const std::string& name : names) {
        QUOIN_TRY(const std::string prefix, keys::program_key_prefix(name, owner));
        QUOIN_CHECK(keys::remove_other_program_keys(choice, prefix, nullptr, on_unreached));
    }
    return is_reached;
}

}  // namespace quoin::server
