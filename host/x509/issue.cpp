#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "host/x509/certificate.hpp"
#include "host/x509/cross.hpp"
#include "host/x509/names.hpp"
#include "host/x509/quote_key.hpp"

namespace quoin::x509 {
namespace {

constexpr std::size_t serial_size = 16;  // bytes
constexpr std::size_t max_names = 32;

struct ProfileInfo {
    Profile profile;
    const char* basic_constraints;
    const char* key_usage;
    const char* extended_key_usage;  // null: none
};

constexpr const char* not_a_ca = "critical,CA:FALSE";
constexpr const char* ca_usage = "critical,keyCertSign,cRLSign";
constexpr const char* leaf_usage = "critical,digitalSignature";

constexpr std::array profiles{
    ProfileInfo{Profile::root, "critical,CA:TRUE,pathlen:1", ca_usage, nullptr},
    ProfileInfo{Profile::issuing, "critical,CA:TRUE,pathlen:0", ca_usage, nullptr},
    ProfileInfo{Profile::device, not_a_ca, leaf_usage, "clientAuth"},
    ProfileInfo{Profile::attest, not_a_ca, leaf_usage, nullptr},
    ProfileInfo{Profile::server, not_a_ca, leaf_usage, "serverAuth,clientAuth"},
    ProfileInfo{Profile::service, not_a_ca, leaf_usage, "clientAuth"},
    ProfileInfo{Profile::operator_, not_a_ca, leaf_usage, "clientAuth"},
    ProfileInfo{Profile::birth_root, "critical,CA:TRUE,pathlen:0", ca_usage, nullptr},
    ProfileInfo{Profile::birth, not_a_ca, leaf_usage, "clientAuth"},
    ProfileInfo{Profile::ra, not_a_ca, leaf_usage, "cmcRA"},
    // No status of a responder is asked for: it lives shortly instead (RFC 6960, 4.2.2.2.1).
    ProfileInfo{Profile::ocsp, not_a_ca, leaf_usage, "OCSPSigning"},
    // No CA: its holder could name anybody, and nobody may connect by it (TLS wants
    // digitalSignature).
    ProfileInfo{Profile::former_root, not_a_ca, "critical,nonRepudiation", nullptr},
};

const ProfileInfo& info(Profile profile) { return profiles[static_cast<std::size_t>(profile)]; }

bool is_ca(Profile profile) {
    return profile == Profile::root || profile == Profile::issuing ||
           profile == Profile::birth_root;
}

Result<void> check(const IssueRequest& request) {
    if (request.lifetime <= std::chrono::seconds(0)) {
        return fail(Code::input_invalid, "{}: the lifetime must be longer than 0 s",
                    request.common_name);
    }
    const bool is_nobody = is_ca(request.profile) || request.profile == Profile::former_root;
    if (is_nobody == request.identity.has_value()) {
        return fail(Code::input_invalid, "{}: every certificate but a CA's names an identity",
                    request.common_name);
    }
    if (request.identity) {
        const auto same = parse_identity(to_uri(*request.identity));
        if (!same || *same != *request.identity || same->id != request.common_name) {
            return fail(Code::input_invalid, "{}: common name and identity {} do not agree",
                        request.common_name, to_uri(*request.identity));
        }
    }
    if (request.profile != Profile::server && !request.names.empty()) {
        return fail(Code::input_invalid, "{}: only servers have DNS names and addresses",
                    request.common_name);
    }
    if (!is_ca(request.profile) && !request.only_site.empty()) {
        return fail(Code::input_invalid, "{}: only CAs are held to a site", request.common_name);
    }
    if (request.profile != Profile::attest && !request.quote_key.empty()) {
        return fail(Code::input_invalid, "{}: only attestation certificates name a quote key",
                    request.common_name);
    }
    if (request.names.size() > max_names) {
        return fail(Code::input_invalid, "{}: more than {} names", request.common_name, max_names);
    }
    return {};
}

bool is_dns_name(std::string_view name) {
    const auto allowed = [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '-';
    };
    return !name.empty() && name.size() <= 253 && std::ranges::all_of(name, allowed);
}

Result<void> add_name(GENERAL_NAMES* names, int type, Bytes value) {
    GeneralNameHandle name(GENERAL_NAME_new());
    crypto::Handle<ASN1_STRING, ASN1_STRING_free> text(
        ASN1_STRING_type_new(type == GEN_IPADD ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING));
    if (!name || !text ||
        ASN1_STRING_set(text.get(), value.data(), static_cast<int>(value.size())) != 1) {
        return fail(Code::internal, "cannot make a name: {}", crypto::openssl_error());
    }
    GENERAL_NAME_set0_value(name.get(), type, text.release());
    if (sk_GENERAL_NAME_push(names, name.get()) == 0) {
        return fail(Code::internal, "cannot make a name: {}", crypto::openssl_error());
    }
    static_cast<void>(name.release());
    return {};
}

Result<void> add_server_name(GENERAL_NAMES* names, const std::string& name) {
    std::array<std::uint8_t, 16> address{};
    if (::inet_pton(AF_INET, name.c_str(), address.data()) == 1) {
        return add_name(names, GEN_IPADD, Bytes(address).first(4));
    }
    if (::inet_pton(AF_INET6, name.c_str(), address.data()) == 1) {
        return add_name(names, GEN_IPADD, address);
    }
    if (!is_dns_name(name)) {
        return fail(Code::input_invalid, "\"{}\" is neither a DNS name nor an IP address", name);
    }
    return add_name(names, GEN_DNS, bytes_of(name));
}

Result<void> add_alternative_names(X509* certificate, const IssueRequest& request) {
    if (!request.identity) return {};
    const GeneralNamesHandle names(GENERAL_NAMES_new());
    if (!names) return fail(Code::internal, "cannot make names: {}", crypto::openssl_error());
    QUOIN_CHECK(add_name(names.get(), GEN_URI, bytes_of(to_uri(*request.identity))));
    for (const std::string& name : request.names) QUOIN_CHECK(add_server_name(names.get(), name));
    if (X509_add1_ext_i2d(certificate, NID_subject_alt_name, names.get(), 0, X509V3_ADD_APPEND) !=
        1) {
        return fail(Code::internal, "cannot add names: {}", crypto::openssl_error());
    }
    return {};
}

Result<void> add_extension(X509* certificate, X509V3_CTX* context, int nid,
                           const std::string& value) {
    const crypto::Handle<X509_EXTENSION, X509_EXTENSION_free> extension(
        X509V3_EXT_conf_nid(nullptr, context, nid, value.c_str()));
    if (!extension || X509_add_ext(certificate, extension.get(), -1) != 1) {
        return fail(Code::internal, "cannot add {}: {}", OBJ_nid2sn(nid), crypto::openssl_error());
    }
    return {};
}

// Only what cannot be mistaken for the syntax of OpenSSL's extension values.
Result<void> check_url(std::string_view url) {
    const auto allowed = [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
               std::string_view(":/._-[]").contains(c);
    };
    if (!url.starts_with("http://") || !std::ranges::all_of(url, allowed)) {
        return fail(Code::input_invalid, "address \"{}\" is not a plain http:// URL", url);
    }
    return {};
}

Result<void> add_addresses(X509* certificate, X509V3_CTX* context, const Addresses& addresses) {
    if (!addresses.crl.empty()) {
        QUOIN_CHECK(check_url(addresses.crl));
        QUOIN_CHECK(add_extension(certificate, context, NID_crl_distribution_points,
                                  "URI:" + addresses.crl));
    }
    std::string access;
    for (const auto& [method, url] : {std::pair("OCSP;URI:", &addresses.ocsp),
                                      std::pair("caIssuers;URI:", &addresses.issuer)}) {
        if (url->empty()) continue;
        QUOIN_CHECK(check_url(*url));
        access += fmt::format("{}{}{}", access.empty() ? "" : ",", method, *url);
    }
    if (access.empty()) return {};
    return add_extension(certificate, context, NID_info_access, access);
}

// Not a name that stands for others as well: ".example" would be every host below it.
Result<void> add_name_constraint(X509* certificate, X509V3_CTX* context, const std::string& site) {
    if (site.empty()) return {};
    if (!is_valid_id(site) || site.front() == '.') {
        return fail(Code::input_invalid, "\"{}\" is no site that a CA can be held to", site);
    }
    return add_extension(certificate, context, NID_name_constraints,
                         "critical,permitted;URI:" + site);
}

Result<void> add_extensions(X509* certificate, X509* issuer, const IssueRequest& request) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    const ProfileInfo& profile = info(request.profile);
    QUOIN_CHECK(
        add_extension(certificate, &context, NID_basic_constraints, profile.basic_constraints));
    QUOIN_CHECK(add_extension(certificate, &context, NID_key_usage, profile.key_usage));
    if (profile.extended_key_usage != nullptr) {
        QUOIN_CHECK(
            add_extension(certificate, &context, NID_ext_key_usage, profile.extended_key_usage));
    }
    QUOIN_CHECK(add_extension(certificate, &context, NID_subject_key_identifier, "hash"));
    QUOIN_CHECK(add_extension(certificate, &context, NID_authority_key_identifier, "keyid:always"));
    if (request.profile == Profile::ocsp) {
        QUOIN_CHECK(add_extension(certificate, &context, NID_id_pkix_OCSP_noCheck, "NULL"));
    }
    QUOIN_CHECK(add_addresses(certificate, &context, request.addresses));
    QUOIN_CHECK(add_name_constraint(certificate, &context, request.only_site));
    if (!request.quote_key.empty()) {
        QUOIN_TRY(const ExtensionHandle quote_key, make_quote_key_extension(request.quote_key));
        if (X509_add_ext(certificate, quote_key.get(), -1) != 1) {
            return fail(Code::internal, "cannot add a quote key: {}", crypto::openssl_error());
        }
    }
    return add_alternative_names(certificate, request);
}

Result<void> set_serial(X509* certificate) {
    std::array<std::uint8_t, serial_size> random{};
    QUOIN_CHECK(crypto::random_bytes(random));
    const crypto::BignumHandle number(
        BN_bin2bn(random.data(), static_cast<int>(random.size()), nullptr));
    if (!number ||
        BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) == nullptr) {
        return fail(Code::internal, "cannot make a serial number: {}", crypto::openssl_error());
    }
    return {};
}

Result<void> set_times(X509* certificate, std::chrono::seconds lifetime, std::int64_t latest_ms) {
    const std::int64_t now_s = now_ms() / 1000;
    const std::int64_t latest_s = latest_ms / 1000;
    if (latest_s <= now_s) return fail(Code::state_wrong, "the issuer's certificate has expired");
    // Compared as a difference, because a huge lifetime would overflow the sum.
    const std::int64_t end_s =
        lifetime.count() < latest_s - now_s ? now_s + lifetime.count() : latest_s;
    if (ASN1_TIME_set(X509_getm_notBefore(certificate), now_s - clock_skew.count()) == nullptr ||
        ASN1_TIME_set(X509_getm_notAfter(certificate), end_s) == nullptr) {
        return fail(Code::input_invalid, "lifetime of {} s is out of range", lifetime.count());
    }
    return {};
}

// 9999-12-31T23:59:59Z, the last time that X.509 can write (RFC 5280, section 4.1.2.5).
constexpr std::int64_t end_of_time_ms = 253402300799 * 1000;

// `issuer` null: self-signed.
Result<Certificate> build(const crypto::PrivateKey& issuer_key, const Certificate* issuer,
                          EVP_PKEY* subject, const IssueRequest& request) {
    QUOIN_CHECK(check(request));
    QUOIN_TRY(const NameHandle name, make_name(request.common_name));
    QUOIN_TRY(const EVP_MD* const digest, signing_digest(issuer_key));
    const CertificateHandle certificate(X509_new_ex(crypto::library(), nullptr));
    const X509_NAME* issuer_name =
        issuer != nullptr ? X509_get_subject_name(issuer->native()) : name.get();
    if (!certificate || X509_set_version(certificate.get(), X509_VERSION_3) != 1 ||
        X509_set_subject_name(certificate.get(), name.get()) != 1 ||
        X509_set_issuer_name(certificate.get(), issuer_name) != 1 ||
        X509_set_pubkey(certificate.get(), subject) != 1) {
        return fail(Code::internal, "{}: {}", request.common_name, crypto::openssl_error());
    }
    QUOIN_CHECK(set_serial(certificate.get()));
    QUOIN_CHECK(set_times(certificate.get(), request.lifetime,
                          issuer != nullptr ? issuer->not_after_ms() : end_of_time_ms));
    QUOIN_CHECK(add_extensions(certificate.get(),
                               issuer != nullptr ? issuer->native() : certificate.get(), request));
    if (X509_sign(certificate.get(), issuer_key.native(), digest) == 0) {
        return fail(Code::internal, "{}: cannot sign: {}", request.common_name,
                    crypto::openssl_error());
    }
    // Through the parser, so that what we issue is what we would accept.
    QUOIN_TRY(const auto der, Certificate(certificate.get()).der());
    return Certificate::from_der(der);
}

Result<void> check_issuer(const crypto::PrivateKey& issuer_key, const Certificate& issuer) {
    if (X509_check_private_key(issuer.native(), issuer_key.native()) == 1) return {};
    crypto::openssl_error();
    return fail(Code::input_invalid, "{}: the key is not that of the issuer's certificate",
                issuer.common_name());
}

Result<Certificate> certify_root(const crypto::PrivateKey& issuer_key, const Certificate& issuer,
                                 const Certificate& subject, const std::string& site) {
    QUOIN_CHECK(check_issuer(issuer_key, issuer));
    if (subject.common_name() != issuer.common_name()) {
        return fail(Code::input_invalid, "\"{}\" and \"{}\" are not roots of one name",
                    subject.common_name(), issuer.common_name());
    }
    QUOIN_TRY(const crypto::PublicKey key, subject.public_key());
    return build(issuer_key, &issuer, key.native(),
                 {.profile = site.empty() ? Profile::former_root : Profile::root,
                  .common_name = subject.common_name(),
                  .identity = {},
                  .names = {},
                  .lifetime = std::chrono::seconds((subject.not_after_ms() - now_ms()) / 1000),
                  .only_site = site});
}

}  // namespace

Result<Certificate> certify_successor(const crypto::PrivateKey& issuer_key,
                                      const Certificate& issuer, const Certificate& successor,
                                      const std::string& site) {
    return certify_root(issuer_key, issuer, successor, site);
}

Result<Certificate> certify_former(const crypto::PrivateKey& issuer_key, const Certificate& issuer,
                                   const Certificate& former) {
    return certify_root(issuer_key, issuer, former, {});
}

Result<Certificate> issue_root(const crypto::PrivateKey& key, const IssueRequest& request) {
    if (request.profile != Profile::root && request.profile != Profile::birth_root) {
        return fail(Code::input_invalid, "{}: only roots sign themselves", request.common_name);
    }
    return build(key, nullptr, key.native(), request);
}

Result<Certificate> issue(const crypto::PrivateKey& issuer_key, const Certificate& issuer,
                          const crypto::PublicKey& subject, const IssueRequest& request) {
    QUOIN_CHECK(check_issuer(issuer_key, issuer));
    if (request.profile == Profile::root || request.profile == Profile::birth_root) {
        return fail(Code::input_invalid, "{}: roots sign themselves", request.common_name);
    }
    return build(issuer_key, &issuer, subject.native(), request);
}

}  // namespace quoin::x509
