#include "cli/plant/configuration.hpp"

#include <system_error>

#include "host/crypto/crypto.hpp"
#include "host/files/files.hpp"
#include "server/pki/ceremony.hpp"
#include "server/pki/migration.hpp"

namespace quoin::cli {
namespace fs = std::filesystem;
namespace {

// Not on the terminal, whose scrollback others may see.
constexpr const char* passphrase_file = "root-passphrase.txt";

Result<void> make_folders(const fs::path& home) {
    for (const char* folder : {"", "run", "log", "db", "audit", "broker", "conf.d"}) {
        QUOIN_CHECK(files::make_private_folder(home / folder));
    }
    return {};
}

Result<void> make_pki(const PlantRequest& request, const Say& say) {
    std::error_code failure;
    const fs::path& home = request.home;
    if (fs::exists(home / "pki", failure)) return {};
    const std::string suite_name = request.suite.empty() ? "hybrid" : request.suite;
    server::PkiRequest pki{.home = home, .site = request.site, .profile = request.profile};
    if (!pki.profile) {
        QUOIN_TRY(pki.suite, tls::suite_by_name(suite_name, false));
        QUOIN_TRY(pki.profile, server::find_profile(suite_name));
    }
    QUOIN_TRY(std::string secret, crypto::random_hex(16));
    // Before the key it opens: never a key that nobody can open.
    QUOIN_CHECK(files::write_atomically(home / passphrase_file, secret + "\n", 0600));
    const crypto::Passphrase passphrase(std::move(secret));
    QUOIN_CHECK(server::init_pki(pki, passphrase));
    const auto& algorithms = pki.profile->algorithms;
    say(fmt::format("PKI: {} root, {} issuing CA, suite {}", crypto::info(algorithms.root).name,
                    crypto::info(algorithms.issuing).name, tls::info(pki.profile->suite).name));
    say(fmt::format("the root key's passphrase is in {}: take it and pki/root.key offline",
                    (home / passphrase_file).string()));
    return {};
}

// A home keeps the profile that it was made with, or migrated to.
Result<void> check_profile(const PlantRequest& request) {
    if (!request.profile) return {};
    QUOIN_TRY(const server::PkiProfile has, server::load_profile(request.home));
    if (has.text == request.profile->text) return {};
    return fail(Code::input_conflict,
                "--profile: the plant in {0} was made with another one ({0}/pki/profile.toml); "
                "leave --profile away to start it, or take another --home",
                request.home.string());
}

Result<void> overlay(const fs::path& file, const std::string& text) {
    if (!text.empty()) return files::write_atomically(file, text, 0600);
    std::error_code failure;
    fs::remove(file, failure);
    if (failure) {
        return fail(Code::resource_unavailable, "cannot remove {}: {}", file.string(),
                    failure.message());
    }
    return {};
}

std::string ports_overlay(const Ports& ports) {
    return fmt::format(
        "# written by `quoin up --ports free`\n[listen]\nhttps = \"127.0.0.1:{}\"\n"
        "http = \"127.0.0.1:{}\"\n[broker]\nhost = \"127.0.0.1\"\nport = {}\nnext_port = {}\n",
        ports.https, ports.http, ports.mqtt, ports.mqtt_next);
}

Result<void> write_overlays(const PlantRequest& request) {
    const fs::path folder = request.home / "conf.d";
    std::string ports_text;
    if (request.free_ports) {
        QUOIN_CHECK(overlay(folder / "91-ports.toml", ""));  // of a migration
        QUOIN_TRY(const Ports ports, Ports::find_free());
        ports_text = ports_overlay(ports);
    }
    QUOIN_CHECK(overlay(folder / "10-ports.toml", ports_text));
    if (!request.database_url.empty()) {
        if (request.database_url.find_first_of("\"\\\n") != std::string::npos) {
            return fail(Code::input_invalid,
                        "--database: a quote, backslash or newline is in the URL");
        }
        QUOIN_CHECK(
            overlay(folder / "20-database.toml",
                    fmt::format("# written by `quoin up --database`\n[database]\nurl = \"{}\"\n",
                                request.database_url)));
    }
    if (!request.overlay.empty()) QUOIN_CHECK(overlay(folder / "30-plant.toml", request.overlay));
    return {};
}

}  // namespace

Result<Prepared> prepare_plant(const PlantRequest& request, const Say& say) {
    QUOIN_CHECK(make_folders(request.home));
    QUOIN_TRY(const bool settled, server::settle_home(request.home));
    if (settled) say("a migration or a rotation that was cut off is finished");
    QUOIN_CHECK(make_pki(request, say));
    QUOIN_CHECK(write_overlays(request));
    Prepared prepared;
    QUOIN_TRY(prepared.settings, server::load_settings(request.home));
    prepared.ports = Ports{
        .mqtt = request.broker_listen != 0 ? request.broker_listen : prepared.settings.broker_port,
        .https = prepared.settings.https.port,
        .http = prepared.settings.http.port};
    if (!request.suite.empty() && request.suite != tls::info(prepared.settings.suite).name) {
        return fail(Code::input_conflict, "--suite {}: the plant in {} is of suite {}",
                    request.suite, request.home.string(), tls::info(prepared.settings.suite).name);
    }
    QUOIN_CHECK(check_profile(request));
    QUOIN_CHECK(prepared.ports.check_free());
    return prepared;
}

}  // namespace quoin::cli
