// quoin.toml, the configuration of quoind: every key, its default and its range.
//
//   site                     required; I0
//   suite                    hybrid | pure | classical (needs danger_allow_classical = true)
//   profile                  development | production: no software keys
//   [keys]      store, fallbacks, danger_software_keys    host/keys/choice.hpp: where the keys of
//                            the issuing CA and of the services are; absent: in this home
//   [crypto]    approved_mode, require_hybrid, tier          host/tls/crypto_choice.hpp
//   [listen]    https, http  "ADDRESS:PORT"; port 0: a free one, told in HOME/run/ports.json
//   [database]  url          sqlite:///HOME/db/quoin.sqlite
//   [broker]    host, port   where the roles and the devices find it
//               next_port    where devices of the new suite do while the plant migrates; default
//                            port + 1
//   [pki]       device_lifetime_s, renew_at, crl_lifetime_s, ocsp_lifetime_s
//               ocsp_live_per_peer   answers with a nonce that one address gets in a second
//               status_url   http://HOST[:PORT] under which everybody finds the HTTP port: in the
//                            certificates; absent: that of [listen], in those of devices only
//   [ra]        first, renewal, after_expiry, retry_after_s  who gets certificates
//   [verifier]  period_s, timeout_s, lifetime_s, minimum_level
//   [telemetry] rate_per_device, rate_burst
//   [feed]      lifetime_s   how long the broker goes on without quoind
//   [audit.syslog] host, port, trust, danger_classical_certificate    a SIEM; absent: none
//
// Errors: config_* with file, line and key. Threads: plain values.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/error.hpp"
#include "host/keys/choice.hpp"
#include "host/tls/crypto_choice.hpp"
#include "host/x509/certificate.hpp"

namespace quoin::server {

struct Endpoint {
    std::string address;
    std::uint16_t port = 0;
};

struct SyslogSettings {
    std::string host;
    std::uint16_t port = 6514;
    std::filesystem::path trust;                // PEM; of the SIEM's certificate
    bool danger_classical_certificate = false;  // take one that is not post-quantum
};

// What the registration authority does with a request that is in order.
enum class Rule : std::uint8_t { automatic, manual, refuse };

struct RaSettings {
    Rule first = Rule::automatic;          // by birth certificate
    Rule renewal = Rule::automatic;        // by operational certificate; these two never refuse
    Rule after_expiry = Rule::automatic;   // by birth certificate, when the last one has expired
    std::chrono::seconds retry_after{60};  // how long a device waits for an operator between asks
};

struct Settings {
    std::string site;
    tls::Suite suite = tls::Suite::hybrid;
    tls::CryptoChoice crypto;
    keys::Choice keys;
    Endpoint https{.address = "127.0.0.1", .port = 8443};
    Endpoint http{.address = "127.0.0.1", .port = 8080};
    std::string database_url;
    std::string broker_host = "127.0.0.1";
    std::uint16_t broker_port = 8883;
    std::uint16_t broker_next_port = 8884;
    std::chrono::seconds device_lifetime{std::chrono::days{30}};
    double renew_at = 0.66;  // share of a certificate's life after which the device renews
    std::chrono::seconds crl_lifetime{std::chrono::days{1}};
    std::string status_url;  // empty: none
    std::chrono::seconds ocsp_lifetime{600};
    std::uint32_t ocsp_live_per_peer = 500;
    RaSettings ra;
    std::chrono::seconds verifier_period{30};
    std::chrono::seconds verifier_timeout{10};
    std::chrono::seconds verdict_lifetime{90};
    std::string minimum_level = "self-reported";
    std::uint32_t rate_per_device = 1000;  // samples a second
    std::uint32_t rate_burst = 5000;
    std::chrono::seconds feed_lifetime{30};
    std::optional<SyslogSettings> syslog;
};

// "127.0.0.1:8443", "[::1]:0". Port 0 is allowed.
Result<Endpoint> parse_endpoint(std::string_view text);

// Plain http, without a path.
Result<void> check_status_url(std::string_view url);
// What certificates of an issuing CA (`issuer`: its serial), and that of the issuing CA itself, say
// about status: paths of quoind's HTTP port. None for an empty URL.
x509::Addresses status_addresses(std::string_view url, std::string_view issuer);
x509::Addresses root_addresses(std::string_view url);

Result<Settings> parse_settings(std::string_view text, std::string_view name,
                                const std::filesystem::path& home);
// The files that load_settings() reads.
std::vector<std::filesystem::path> configuration_files(const std::filesystem::path& home);
// HOME/quoin.toml and HOME/conf.d/*.toml. Puts this process into the mode that [crypto] says.
Result<Settings> load_settings(const std::filesystem::path& home);

}  // namespace quoin::server
