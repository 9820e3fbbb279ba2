#include "server/pki/profile.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <initializer_list>
#include <limits>

#include "host/config/config.hpp"
#include "host/files/files.hpp"

namespace quoin::server {
namespace {

using crypto::Algorithm;
using std::chrono::seconds;

constexpr seconds least_lifetime{10};
constexpr seconds greatest_lifetime = std::chrono::days{50 * 365};

constexpr std::array classical_keys{Algorithm::ed25519, Algorithm::ecdsa_p256};
constexpr std::array composites{Algorithm::ml_dsa_44_ed25519, Algorithm::ml_dsa_65_ed25519};
// Signs seldom, is verified for long, and by itself in no TLS handshake. Of lattices alone it must
// not be where all else is hybrid: what it vouches for would hang on them alone.
constexpr std::array hybrid_authorities{Algorithm::ml_dsa_44_ed25519, Algorithm::ml_dsa_65_ed25519,
                                        Algorithm::slh_dsa_sha2_128s,
                                        Algorithm::slh_dsa_shake_128f};
constexpr std::array pure_authorities{Algorithm::ml_dsa_44,         Algorithm::ml_dsa_65,
                                      Algorithm::ml_dsa_44_ed25519, Algorithm::ml_dsa_65_ed25519,
                                      Algorithm::slh_dsa_sha2_128s, Algorithm::slh_dsa_shake_128f};
// What the suite's TLS negotiates (host/tls/policy.cpp); and who answers for status, often and
// shortly believed.
constexpr std::array lattices{Algorithm::ml_dsa_44, Algorithm::ml_dsa_65,
                              Algorithm::ml_dsa_44_ed25519, Algorithm::ml_dsa_65_ed25519};

enum class Use : std::uint8_t { authority, status, tls };

std::span<const Algorithm> allowed_for(Use use, tls::Suite suite) {
    if (suite == tls::Suite::classical) return classical_keys;
    if (use == Use::status) return lattices;
    const bool pure = suite == tls::Suite::pure;
    if (use == Use::authority) {
        return pure ? std::span<const Algorithm>(pure_authorities) : hybrid_authorities;
    }
    return pure ? std::span<const Algorithm>(lattices) : composites;
}

Result<Algorithm> one_of(std::span<const Algorithm> allowed, std::string_view name) {
    std::string names;
    for (const Algorithm each : allowed) {
        const std::string_view known = crypto::info(each).name;
        if (known == name) return each;
        names += fmt::format("{}{}", names.empty() ? "" : ", ", known);
    }
    return fail(Code::config_invalid, "\"{}\" is none of {}", name, names);
}

void bind_algorithm(config::Section& section, std::string_view key, Use use, tls::Suite suite,
                    Algorithm& algorithm) {
    std::string name;
    section.text(key, name, config::required);
    if (name.empty()) return;
    if (const auto known = one_of(allowed_for(use, suite), name)) {
        algorithm = *known;
    } else {
        section.refuse(key, known.error().message);
    }
}

void bind_lifetime(config::Section& section, std::string_view key, seconds& lifetime) {
    std::string text;
    section.text(key, text, config::required);
    if (text.empty()) return;
    if (const auto known = parse_lifetime(text)) {
        lifetime = *known;
    } else {
        section.refuse(key, known.error().message);
    }
}

void bind_suite(config::Section& root, tls::Suite& suite) {
    std::string name;
    bool danger_allow_classical = false;
    root.text("suite", name, config::required);
    root.flag("danger_allow_classical", danger_allow_classical);
    if (name.empty()) return;
    if (const auto known = tls::suite_by_name(name, danger_allow_classical)) {
        suite = *known;
    } else {
        root.refuse("suite", known.error().message);
    }
}

void bind_lifetimes(config::Section section, PkiProfile::Lifetimes& lifetime) {
    bind_lifetime(section, "root", lifetime.root);
    bind_lifetime(section, "issuing", lifetime.issuing);
    if (lifetime.issuing > lifetime.root) {
        section.refuse("issuing", "is longer than root's, which signs it");
    }
    struct Row {
        std::string_view key;
        seconds& lifetime;
    };
    for (const Row& row : {Row{"ra", lifetime.ra}, Row{"ocsp", lifetime.ocsp},
                           Row{"service", lifetime.service}, Row{"operator", lifetime.operator_}}) {
        bind_lifetime(section, row.key, row.lifetime);
        if (row.lifetime > lifetime.issuing) {
            section.refuse(row.key, "is longer than issuing's, which signs it");
        }
    }
}

}  // namespace

Result<seconds> parse_lifetime(std::string_view text) {
    struct Unit {
        char name;
        std::int64_t seconds;
    };
    constexpr std::array units{Unit{'s', 1}, Unit{'m', 60}, Unit{'h', 3600}, Unit{'d', 86'400},
                               Unit{'y', 365 * 86'400}};
    std::uint32_t count = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    const auto* const unit = text.data() + text.size() - rest == 1
                                 ? std::ranges::find(units, *rest, &Unit::name)
                                 : units.end();
    if (error != std::errc{} || unit == units.end()) {
        return fail(Code::config_invalid,
                    "\"{}\" is no lifetime: a number with s, m, h, d or y, as in \"90d\"", text);
    }
    const seconds lifetime{static_cast<std::int64_t>(count) * unit->seconds};
    if (lifetime < least_lifetime || lifetime > greatest_lifetime) {
        return fail(Code::config_invalid, "\"{}\" is not between 10s and 50y", text);
    }
    return lifetime;
}

Result<PkiProfile> parse_profile(std::string_view text, std::string_view name) {
    if (text.size() > max_profile_size) {
        return fail(Code::config_invalid, "{}: is longer than {} bytes", name, max_profile_size);
    }
    QUOIN_TRY(const config::Document document, config::Document::parse(text, name));
    PkiProfile profile{};
    config::Section root = document.root();
    bind_suite(root, profile.suite);
    config::Section section = root.table("algorithms");
    PkiProfile::Algorithms& algorithms = profile.algorithms;
    const auto bind = [&](std::string_view key, Use use, Algorithm& algorithm) {
        bind_algorithm(section, key, use, profile.suite, algorithm);
    };
    bind("root", Use::authority, algorithms.root);
    bind("issuing", Use::authority, algorithms.issuing);
    bind("ra", Use::authority, algorithms.ra);
    bind("ocsp", Use::status, algorithms.ocsp);
    bind("service", Use::tls, algorithms.service);
    bind("operator", Use::tls, algorithms.operator_);
    bind("mcu", Use::tls, algorithms.mcu);
    bind("mpu", Use::tls, algorithms.mpu);
    bind_lifetimes(root.table("lifetime"), profile.lifetime);
    QUOIN_CHECK(document.finish());
    profile.text = text;
    return profile;
}

Result<PkiProfile> find_profile(const std::string& name_or_file) {
    if (name_or_file.contains('/') || name_or_file.ends_with(".toml")) {
        QUOIN_TRY(const std::string text, files::read(name_or_file, max_profile_size));
        return parse_profile(text, name_or_file);
    }
    std::string names;
    for (const BuiltInProfile& row : built_in_profiles()) {
        if (row.name == name_or_file) return parse_profile(row.text, row.name);
        names += fmt::format("{}{}", names.empty() ? "" : ", ", row.name);
    }
    return fail(Code::input_invalid, "profile \"{}\" is none of {}, and no file (NAME.toml)",
                name_or_file, names);
}

Result<PkiProfile> load_profile(const std::filesystem::path& home) {
    const std::filesystem::path file = home / "pki" / "profile.toml";
    QUOIN_TRY(const std::string text, files::read(file, max_profile_size));
    return parse_profile(text, file.string());
}

}  // namespace quoin::server
