#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <system_error>

#include "cli/doctor/checks.hpp"
#include "cli/output.hpp"
#include "host/keys/program_key.hpp"
#include "host/x509/certificate.hpp"
#include "server/config/settings.hpp"

namespace quoin::cli {
namespace fs = std::filesystem;
namespace {

constexpr std::int64_t day_ms = 24LL * 3600 * 1000;
constexpr std::int64_t warn_before_ms = 30 * day_ms;

std::int64_t now_ms() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

bool check_folder(const fs::path& home, Findings& findings) {
    struct stat status{};
    if (stat(home.c_str(), &status) != 0) {
        findings.push_back(
            {Health::warn, "home",
             fmt::format("{} is not there yet: `quoin up --home {}` makes a plant in it",
                         home.string(), home.string())});
        return false;
    }
    if ((status.st_mode & 0077) != 0) {
        findings.push_back({Health::fail, "home",
                            fmt::format("{} has mode {:o}: run chmod 0700 {}", home.string(),
                                        status.st_mode & 0777, home.string())});
    } else {
        findings.push_back(
            {Health::pass, "home", fmt::format("{} is private (0700)", home.string())});
    }
    return true;
}

Finding judge(const fs::path& file) {
    const auto chain = x509::Certificate::load(file);
    if (!chain || chain->empty()) {
        return {Health::fail, file.string(),
                chain ? "no certificate in it" : chain.error().message};
    }
    const std::int64_t end_ms = chain->front().not_after_ms();
    const std::int64_t left_ms = end_ms - now_ms();
    if (left_ms <= 0) {
        return {Health::fail, file.string(),
                fmt::format("expired at {}: issue it again", utc(end_ms))};
    }
    // A certificate that is short-lived by design is renewed by its owner.
    const bool short_lived = end_ms - chain->front().not_before_ms() < 2 * warn_before_ms;
    if (left_ms < warn_before_ms && !short_lived) {
        return {Health::warn, file.string(),
                fmt::format("expires at {}, in {} days", utc(end_ms), left_ms / day_ms)};
    }
    return {Health::pass, file.string(), fmt::format("valid until {}", utc(end_ms))};
}

void check_certificates(const fs::path& home, Findings& findings) {
    std::size_t good = 0;
    for (const char* folder : {"pki", "pki/makers", "services", "operator"}) {
        std::error_code failure;
        for (const auto& entry : fs::directory_iterator(home / folder, failure)) {
            if (entry.path().extension() != ".crt") continue;
            Finding finding = judge(entry.path());
            if (finding.health == Health::pass) {
                ++good;
            } else {
                findings.push_back(std::move(finding));
            }
        }
    }
    if (good > 0) {
        findings.push_back({Health::pass, "certificates", fmt::format("{} are valid", good)});
    } else {
        findings.push_back({Health::warn, "certificates",
                            "none found: `quoin pki init` or `quoin up` makes them"});
    }
}

void add(std::string& list, const std::string& file) { list += list.empty() ? file : ", " + file; }

// What brings these software keys into the store.
std::string advice(const std::string& software) {
    std::string text;
    if (software.contains("services/")) {
        text = "quoin pki renew-services moves the services' when it is there again";
    }
    if (software.contains("pki/issuing.key")) {
        text += text.empty() ? "" : "; ";
        text +=
            "the issuing CA's stays where it was made: only a new PKI (quoin pki init) has it "
            "there";
    }
    return text;
}

// Where the key is, if it is the one of the certificate beside its file.
Result<keys::Residence> residence_of(const fs::path& file, const keys::KeyPlace& place) {
    fs::path certificate = file;
    certificate.replace_extension(".crt");
    QUOIN_TRY(const auto chain, x509::Certificate::load(certificate));
    if (chain.empty()) {
        return fail(Code::input_invalid, "{}: no certificate in it", certificate.string());
    }
    QUOIN_TRY(const auto key, chain.front().public_key());
    return keys::residence_of(place, key);
}

// The same is said once, of all files.
struct Placed {
    std::string store;
    std::string said;
    Health health;
    auto operator<=>(const Placed&) const = default;
};

Placed placed(const fs::path& file, const keys::KeyPlace& place, const keys::Choice& choice) {
    const auto residence = residence_of(file, place);
    const bool elsewhere = keys::is_elsewhere(choice, place);
    // Whoever asks may be another user than the plant's.
    const bool works = residence || residence.error().code == Code::peer_forbidden;
    const Health health =
        !works ? Health::fail : (residence && !elsewhere ? Health::pass : Health::warn);
    return {place.store,
            fmt::format("{}{}",
                        residence ? std::string(keys::residence_name(*residence))
                                  : residence.error().message,
                        elsewhere ? ": a FALLBACK, or made before [keys] was changed" : ""),
            health};
}

// Keys that programs use.
void check_program_keys(const fs::path& home, const keys::Choice& choice, Findings& findings) {
    std::string software;
    std::map<Placed, std::string> stores;  // their files
    std::error_code failure;
    std::vector<std::string> files{"pki/issuing.key"};
    for (const auto& entry : fs::directory_iterator(home / "services", failure)) {
        if (entry.path().extension() == ".key") {
            files.push_back("services/" + entry.path().filename().string());
        }
    }
    std::ranges::sort(files);
    for (const std::string& file : files) {
        if (!fs::exists(home / file, failure)) continue;
        const auto place = keys::place_of_key(home / file);
        if (!place) {
            findings.push_back({Health::fail, file, place.error().message});
        } else if (place->store.empty()) {
            add(software, file);
        } else {
            add(stores[placed(home / file, *place, choice)], file);
        }
    }
    for (const auto& [place, list] : stores) {
        findings.push_back(
            {place.health, "keys", fmt::format("{}: in {}, {}", list, place.store, place.said)});
    }
    if (software.empty()) return;
    const auto allowed = keys::check_software_key(choice, software);
    const std::string why =
        choice.store.empty()
            ? ", until a secure element holds them (quoin pki init --key-store)"
            : fmt::format(": a FALLBACK, or made before [keys] was changed; {} is configured: {}",
                          choice.store, advice(software));
    findings.push_back(
        {allowed ? Health::warn : Health::fail, "keys",
         allowed ? fmt::format("{}: software keys, encrypted under unlock.key beside them: best "
                               "effort{}",
                               software, why)
                 : allowed.error().message});
}

void check_keys(const fs::path& home, Findings& findings) {
    std::error_code failure;
    keys::Choice choice;
    if (fs::exists(home / "quoin.toml", failure)) {
        if (const auto settings = server::load_settings(home)) {
            choice = settings->keys;
        } else {
            findings.push_back({Health::fail, "configuration", settings.error().message});
        }
    }
    check_program_keys(home, choice, findings);
    const bool root_key = fs::exists(home / "pki/root.key", failure);
    if (root_key && fs::exists(home / "root-passphrase.txt", failure)) {
        findings.push_back({Health::warn, "root passphrase",
                            fmt::format("{} lies beside the key it opens: write it down and delete "
                                        "it, and take pki/root.key offline",
                                        (home / "root-passphrase.txt").string())});
    }
    if (root_key) {
        findings.push_back(
            {Health::warn, "root key",
             fmt::format("{} is on this machine: keep it offline, it is needed only to "
                         "sign a new issuing CA",
                         (home / "pki/root.key").string())});
    }
}

}  // namespace

void check_home(const Context& context, Findings& findings) {
    const fs::path home = context.home;
    if (!check_folder(home, findings)) return;
    check_certificates(home, findings);
    check_keys(home, findings);
}

}  // namespace quoin::cli
