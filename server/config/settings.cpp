#include "server/config/settings.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "host/config/config.hpp"
#include "host/x509/identity.hpp"

namespace quoin::server {
namespace {

using std::chrono::seconds;

constexpr std::int64_t year_s = 366LL * 24 * 3600;

void bind_seconds(config::Section& section, std::string_view key, seconds& value,
                  std::int64_t least, std::int64_t most) {
    std::int64_t count = value.count();
    section.integer<std::int64_t>(key, count, {least, most});
    value = seconds(count);
}

void bind_endpoint(config::Section& section, std::string_view key, Endpoint& endpoint) {
    std::string text;
    section.text(key, text);
    if (text.empty()) return;
    if (auto parsed = parse_endpoint(text)) {
        endpoint = *std::move(parsed);
    } else {
        section.refuse(key, parsed.error().message);
    }
}

void bind_port(config::Section& section, std::string_view key, std::uint16_t& port) {
    section.integer<std::uint16_t>(key, port, {1, std::numeric_limits<std::uint16_t>::max()});
}

void bind_suite(config::Section& root, Settings& settings) {
    std::string suite = "hybrid";
    bool danger_allow_classical = false;
    root.text("suite", suite);
    root.flag("danger_allow_classical", danger_allow_classical);
    if (auto known = tls::suite_by_name(suite, danger_allow_classical)) {
        settings.suite = *known;
    } else {
        root.refuse("suite", known.error().message);
    }
}

void bind_rule(config::Section& section, std::string_view key, Rule& rule, bool may_refuse) {
    static constexpr std::array<std::string_view, 3> names{"auto", "manual", "refuse"};
    std::string name(names[static_cast<std::size_t>(rule)]);
    section.choice(key, name, std::span(names).first(may_refuse ? 3 : 2));
    const auto found = std::ranges::find(names, name);
    if (found != names.end()) rule = static_cast<Rule>(found - names.begin());
}

void bind_ra(config::Section& root, RaSettings& settings) {
    config::Section ra = root.table("ra");
    bind_rule(ra, "first", settings.first, false);
    bind_rule(ra, "renewal", settings.renewal, false);
    bind_rule(ra, "after_expiry", settings.after_expiry, true);
    bind_seconds(ra, "retry_after_s", settings.retry_after, 1, 3'600);
}

void bind_verifier(config::Section& root, Settings& settings) {
    static constexpr std::array<std::string_view, 3> levels{"self-reported", "boot-signed",
                                                            "tpm-quoted"};
    config::Section verifier = root.table("verifier");
    bind_seconds(verifier, "period_s", settings.verifier_period, 1, 86'400);
    bind_seconds(verifier, "timeout_s", settings.verifier_timeout, 1, 3'600);
    bind_seconds(verifier, "lifetime_s", settings.verdict_lifetime, 1, 7 * 86'400);
    verifier.choice("minimum_level", settings.minimum_level, levels);
    if (settings.verdict_lifetime <= settings.verifier_period) {
        verifier.refuse("lifetime_s", "must be longer than period_s, or every verdict goes stale");
    }
}

void bind_syslog(config::Section& root, Settings& settings) {
    config::Section audit = root.table("audit");
    if (!audit.has("syslog")) return;
    config::Section section = audit.table("syslog");
    SyslogSettings syslog;
    std::string trust;
    section.text("host", syslog.host, config::required);
    bind_port(section, "port", syslog.port);
    section.text("trust", trust, config::required);
    section.flag("danger_classical_certificate", syslog.danger_classical_certificate);
    syslog.trust = trust;
    settings.syslog = std::move(syslog);
}

void bind_rest(config::Section& root, Settings& settings) {
    config::Section listen = root.table("listen");
    bind_endpoint(listen, "https", settings.https);
    bind_endpoint(listen, "http", settings.http);
    config::Section database = root.table("database");
    database.text("url", settings.database_url);
    config::Section broker = root.table("broker");
    broker.text("host", settings.broker_host);
    bind_port(broker, "port", settings.broker_port);
    settings.broker_next_port = static_cast<std::uint16_t>(
        settings.broker_port < 65535 ? settings.broker_port + 1 : settings.broker_port - 1);
    bind_port(broker, "next_port", settings.broker_next_port);
    if (settings.broker_next_port == settings.broker_port) {
        broker.refuse("next_port", "is the present port, which stays in use");
    }
    config::Section pki = root.table("pki");
    bind_seconds(pki, "device_lifetime_s", settings.device_lifetime, 10, 5 * year_s);
    pki.number("renew_at", settings.renew_at, {0.1, 0.9});
    bind_seconds(pki, "crl_lifetime_s", settings.crl_lifetime, 10, year_s);
    bind_seconds(pki, "ocsp_lifetime_s", settings.ocsp_lifetime, 4, 7 * 86'400);
    pki.integer<std::uint32_t>("ocsp_live_per_peer", settings.ocsp_live_per_peer, {1, 1'000'000});
    pki.text("status_url", settings.status_url);
    if (!settings.status_url.empty()) {
        const auto plain = check_status_url(settings.status_url);
        if (!plain) pki.refuse("status_url", plain.error().message);
    }
    config::Section telemetry = root.table("telemetry");
    telemetry.integer<std::uint32_t>("rate_per_device", settings.rate_per_device, {1, 1'000'000});
    telemetry.integer<std::uint32_t>("rate_burst", settings.rate_burst, {1, 10'000'000});
    config::Section feed = root.table("feed");
    bind_seconds(feed, "lifetime_s", settings.feed_lifetime, 1, 86'400);
}

Result<Settings> bind(const config::Document& document, const std::filesystem::path& home) {
    Settings settings;
    settings.database_url = "sqlite://" + (home / "db" / "quoin.sqlite").string();
    config::Section root = document.root();
    root.text("site", settings.site, config::required);
    if (!settings.site.empty() && !x509::is_valid_id(settings.site)) {
        root.refuse("site", "must be 1 to 128 of the letters A-Z a-z 0-9 _ . -");
    }
    tls::bind_crypto(root, settings.crypto);
    bind_suite(root, settings);
    tls::check_suite(root, settings.crypto, settings.suite);
    keys::bind_choice(root, settings.keys);
    bind_rest(root, settings);
    bind_ra(root, settings.ra);
    bind_verifier(root, settings);
    bind_syslog(root, settings);
    QUOIN_CHECK(document.finish());
    return settings;
}

}  // namespace

Result<Endpoint> parse_endpoint(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    Endpoint endpoint;
    std::string_view port = colon == std::string_view::npos ? "" : text.substr(colon + 1);
    const auto [end, error] =
        std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
    std::string_view address = text.substr(0, colon == std::string_view::npos ? 0 : colon);
    if (address.starts_with('[') && address.ends_with(']')) {
        address = address.substr(1, address.size() - 2);
    }
    if (address.empty() || port.empty() || error != std::errc{} ||
        end != port.data() + port.size()) {
        return fail(Code::config_invalid, "\"{}\" is not ADDRESS:PORT, as in 127.0.0.1:8443", text);
    }
    endpoint.address = address;
    return endpoint;
}

Result<void> check_status_url(std::string_view url) {
    constexpr std::string_view scheme = "http://";
    const auto allowed = [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
               std::string_view(":.-[]").contains(c);
    };
    if (url.starts_with(scheme) && url.size() > scheme.size() &&
        std::ranges::all_of(url.substr(scheme.size()), allowed)) {
        return {};
    }
    return fail(Code::config_invalid, "\"{}\" is not http://HOST[:PORT], without a path", url);
}

x509::Addresses status_addresses(std::string_view url, std::string_view issuer) {
    if (url.empty()) return {};
    // DER, as RFC 5280, section 4.2.1.13 has it.
    return {.crl = fmt::format("{}/issuing-{}.crl", url, issuer),
            .ocsp = fmt::format("{}/ocsp", url),
            .issuer = fmt::format("{}/issuing-{}.crt", url, issuer)};
}

// Nobody answers for the root by OCSP: its key is offline.
x509::Addresses root_addresses(std::string_view url) {
    if (url.empty()) return {};
    return {.crl = {}, .ocsp = {}, .issuer = fmt::format("{}/root.crt", url)};
}

Result<Settings> parse_settings(std::string_view text, std::string_view name,
                                const std::filesystem::path& home) {
    QUOIN_TRY(const config::Document document, config::Document::parse(text, name));
    return bind(document, home);
}

std::vector<std::filesystem::path> configuration_files(const std::filesystem::path& home) {
    std::vector<std::filesystem::path> files{home / "quoin.toml"};
    std::error_code failure;  // no folder, no files
    for (const auto& entry : std::filesystem::directory_iterator(home / "conf.d", failure)) {
        if (entry.path().extension() == ".toml") files.push_back(entry.path());
    }
    return files;
}

Result<Settings> load_settings(const std::filesystem::path& home) {
    QUOIN_TRY(const config::Document document, config::Document::load(home / "quoin.toml"));
    QUOIN_TRY(Settings settings, bind(document, home));
    tls::apply(settings.crypto);
    return settings;
}

}  // namespace quoin::server
