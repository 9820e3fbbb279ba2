#include "host/tls/policy.hpp"

#include <algorithm>
#include <array>
#include <ranges>

#include "host/crypto/library.hpp"
#include "host/tls/settings.hpp"
#include "host/tls/suites.hpp"

namespace quoin::tls {
namespace {

using crypto::Algorithm;

// Names of groups and signatures as OpenSSL 3.5 and our provider list them.
constexpr std::array suites{
    SuiteInfo{.suite = Suite::classical,
              .name = "classical",
              .groups = "X25519",
              .signatures = "ed25519:ecdsa_secp256r1_sha256",
              .root = Algorithm::ecdsa_p256,
              .issuing = Algorithm::ecdsa_p256,
              .service = Algorithm::ecdsa_p256,
              .ocsp = Algorithm::ecdsa_p256,
              .mcu = Algorithm::ed25519,
              .mpu = Algorithm::ecdsa_p256},
    SuiteInfo{.suite = Suite::hybrid,
              .name = "hybrid",
              .groups = "X25519MLKEM768",
              .signatures = "mldsa65_ed25519:mldsa44_ed25519",
              .root = Algorithm::ml_dsa_65_ed25519,
              .issuing = Algorithm::ml_dsa_65_ed25519,
              .service = Algorithm::ml_dsa_65_ed25519,
              .ocsp = Algorithm::ml_dsa_65,
              .mcu = Algorithm::ml_dsa_44_ed25519,
              .mpu = Algorithm::ml_dsa_65_ed25519},
    SuiteInfo{.suite = Suite::pure,
              .name = "pure",
              .groups = "MLKEM768",
              .signatures = "mldsa65:mldsa44",
              .root = Algorithm::slh_dsa_sha2_128s,
              .issuing = Algorithm::ml_dsa_65,
              .service = Algorithm::ml_dsa_65,
              .ocsp = Algorithm::ml_dsa_65,
              .mcu = Algorithm::ml_dsa_44,
              .mpu = Algorithm::ml_dsa_65},
};

// As the lists of `suites` name them; empty: not in TLS.
std::string_view signature_name(Algorithm algorithm) {
    switch (algorithm) {
        case Algorithm::ed25519:
            return "ed25519";
        case Algorithm::ecdsa_p256:
            return "ecdsa_secp256r1_sha256";
        case Algorithm::ml_dsa_44:
            return "mldsa44";
        case Algorithm::ml_dsa_65:
            return "mldsa65";
        case Algorithm::ml_dsa_44_ed25519:
            return "mldsa44_ed25519";
        case Algorithm::ml_dsa_65_ed25519:
            return "mldsa65_ed25519";
        case Algorithm::ml_dsa_87:
        case Algorithm::slh_dsa_sha2_128s:
        case Algorithm::slh_dsa_shake_128f:
            break;
    }
    return {};
}

// Of clients' certificates, in every suite: devices are born with composites (server/pki/birth).
constexpr std::string_view birth_signatures = "mldsa65_ed25519:mldsa44_ed25519";

// Adds the names of `list` ("a:b:c") that are not there yet.
void add_names(std::string& to, std::string_view list) {
    for (const auto part : std::views::split(list, ':')) {
        const std::string_view name(part);
        const std::string known = ":" + to + ":";
        if (known.contains(fmt::format(":{}:", name))) continue;
        to += fmt::format("{}{}", to.empty() ? "" : ":", name);
    }
}

}  // namespace

bool is_of_suite(Suite suite, Algorithm algorithm) {
    const std::string_view name = signature_name(algorithm);
    std::string_view rest = info(suite).signatures;
    while (!name.empty() && !rest.empty()) {
        const std::size_t end = std::min(rest.find(':'), rest.size());
        if (rest.substr(0, end) == name) return true;
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return false;
}

const SuiteInfo& info(Suite suite) { return suites[static_cast<std::size_t>(suite)]; }

Result<Suite> suite_by_name(std::string_view name, bool danger_allow_classical) {
    for (const SuiteInfo& row : suites) {
        if (row.name != name) continue;
        if (row.suite == Suite::classical && !danger_allow_classical) {
            return fail(
                Code::config_invalid,
                "suite \"classical\" does not resist quantum computers; use hybrid or pure, "
                "or set danger_allow_classical to compare");
        }
        return row.suite;
    }
    return fail(Code::config_invalid, "suite \"{}\" is not known; use hybrid or pure", name);
}

Offer offer(std::span<const Suite> of) {
    Offer all;
    for (const Suite suite : of) {
        add_names(all.groups, info(suite).groups);
        add_names(all.signatures, info(suite).signatures);
    }
    all.client_signatures = all.signatures;
    add_names(all.client_signatures, birth_signatures);
    return all;
}

std::string openssl_conf(std::span<const Suite> of) {
    std::string names;
    for (const Suite suite : of) {
        names += fmt::format("{}\"{}\"", names.empty() ? "" : ", ", info(suite).name);
    }
    const Offer offered = offer(of);
    return fmt::format(
        "# Written by Quoin: holds every TLS context of the program to the suite {}.\n"
        "# What cannot be had (the provider, a name of it) is an error, not left out.\n"
        "config_diagnostics = 1\n"
        "openssl_conf = quoin\n"
        "[quoin]\n"
        "providers = providers\n"
        "alg_section = algorithms\n"
        "ssl_conf = programs\n"
        "[providers]\n"
        "default = default_provider\n"
        "quoin = quoin_provider\n"
        "[default_provider]\n"
        "activate = 1\n"
        "[quoin_provider]\n"
        "module = {}\n"
        "activate = 1\n"
        "[algorithms]\n"
        "default_properties = ?provider=quoin\n"
        "[programs]\n"
        "system_default = policy\n"
        "[policy]\n"
        "MinProtocol = TLSv1.3\n"
        "MaxProtocol = TLSv1.3\n"
        "Ciphersuites = {}\n"
        "Groups = {}\n"
        "SignatureAlgorithms = {}\n"
        "ClientSignatureAlgorithms = {}\n"
        "Options = -SessionTicket,-TxCertificateCompression,-RxCertificateCompression\n"
        "NumTickets = 0\n",
        names, crypto::provider_file().string(), cipher_suites(), offered.groups,
        offered.signatures, offered.client_signatures);
}

std::string openssl_conf(Suite suite) { return openssl_conf(std::span(&suite, 1)); }

}  // namespace quoin::tls
