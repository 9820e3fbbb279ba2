#include "server/pki/issuing.hpp"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <string_view>
#include <system_error>

#include "host/files/files.hpp"
#include "server/config/settings.hpp"

namespace quoin::server {
namespace {

namespace fs = std::filesystem;
using crypto::PrivateKey;
using x509::Certificate;
using x509::Identity;
using x509::Kind;
using x509::Profile;

constexpr std::array all_services{
    Service{"quoind", Profile::server},     Service{"broker", Profile::server},
    Service{"telemetry", Profile::service}, Service{"verifier", Profile::service},
    Service{"audit", Profile::service},     Service{"ra", Profile::ra},
    Service{"ocsp", Profile::ocsp},
};

Result<void> issue_leaf(const IssuingCa& ca, const fs::path& folder, const PrivateKey& key,
                        x509::IssueRequest request) {
    request.addresses = ca.addresses;
    QUOIN_TRY(const auto public_key, key.public_key());
    QUOIN_TRY(const Certificate leaf, x509::issue(ca.key, ca.certificate, public_key, request));
    QUOIN_CHECK(write_key(folder / (request.common_name + ".key"), key, ca.unlock));
    const std::array chain{leaf, ca.certificate};
    return write_certificates(folder / (request.common_name + ".crt"), chain);
}

struct Terms {
    crypto::Algorithm algorithm;
    std::chrono::seconds lifetime;
};

Terms terms_of(const PkiProfile& profile, Profile service) {
    if (service == Profile::ra) return {profile.algorithms.ra, profile.lifetime.ra};
    if (service == Profile::ocsp) return {profile.algorithms.ocsp, profile.lifetime.ocsp};
    return {profile.algorithms.service, profile.lifetime.service};
}

}  // namespace

std::span<const Service> services() { return all_services; }

Result<Staging> Staging::make(const fs::path& folder, std::string_view prefix) {
    std::string name = (folder / fmt::format("{}XXXXXX", prefix)).string();
    if (::mkdtemp(name.data()) == nullptr) {
        return fail(Code::resource_unavailable, "{}: cannot write here: {}", folder.string(),
                    std::generic_category().message(errno));
    }
    return Staging(fs::path(name));
}

Staging::~Staging() {
    std::error_code ignored;  // nothing better can be done with it here
    if (!path_.empty()) fs::remove_all(path_, ignored);
}

Result<void> write_certificates(const fs::path& file, std::span<const Certificate> chain) {
    std::string pem;
    for (const Certificate& certificate : chain) {
        QUOIN_TRY(const std::string one, certificate.pem());
        pem += one;
    }
    return files::write_atomically(file, pem, 0600);
}

Result<void> write_key(const fs::path& file, const PrivateKey& key,
                       const crypto::Passphrase& passphrase, bool slow) {
    QUOIN_TRY(const std::string pem, key.to_encrypted_pem(passphrase, slow));
    return files::write_atomically(file, pem, 0600);
}

Result<Certificate> first_of(const fs::path& file) {
    QUOIN_TRY(const auto chain, Certificate::load(file));
    return chain.front();
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

Result<std::string> owner_of(const Certificate& root) {
    QUOIN_TRY(const auto digest, root.sha256());
    return crypto::to_hex(digest);
}

Result<void> check_answer(const Certificate& issuing, const Certificate& root,
                          const PrivateKey& key, const fs::path& file) {
    QUOIN_TRY(const auto wanted, key.public_key());
    QUOIN_TRY(const auto present, issuing.public_key());
    QUOIN_TRY(const auto wanted_der, wanted.spki_der());
    QUOIN_TRY(const auto present_der, present.spki_der());
    if (!issuing.is_ca() || wanted_der != present_der) {
        return fail(Code::input_invalid, "{}: is not the answer to the request of this home",
                    file.string());
    }
    const std::array anchors{root};
    const auto sound = x509::verify_chain(issuing, {}, anchors, x509::Purpose::any);
    if (sound) return {};
    return fail(Code::input_invalid, "{}: {}", file.string(), sound.error().message);
}

Result<PrivateKey> make_key(const keys::Choice& choice, const std::string& owner,
                            std::string_view name, crypto::Algorithm algorithm,
                            const KeyNotices& notices) {
    QUOIN_TRY(const std::string prefix, keys::program_key_prefix(name, owner));
    return keys::make_program_key(choice, prefix, algorithm, notices.on_fallback);
}

Result<void> issue_service(const IssuingCa& ca, const fs::path& folder, const Service& service,
                           const std::vector<std::string>& names, const KeyNotices& notices) {
    const bool is_server = service.profile == Profile::server;
    Terms terms = terms_of(ca.profile, service.profile);
    // Signatures of the audit log have a context, which those of classical algorithms lack.
    const bool is_audit = std::string_view(service.name) == "audit";
    if (is_audit && !crypto::info(terms.algorithm).post_quantum) {
        terms.algorithm = crypto::Algorithm::ml_dsa_65;
    }
    QUOIN_TRY(const PrivateKey key,
              make_key(ca.keys, ca.owner, service.name, terms.algorithm, notices));
    return issue_leaf(ca, folder, key,
                      {.profile = service.profile,
                       .common_name = service.name,
                       .identity = Identity{Kind::service, ca.site, service.name, {}},
                       .names = is_server ? names : std::vector<std::string>{},
                       .lifetime = terms.lifetime});
}

Result<void> issue_operator(const IssuingCa& ca, const fs::path& folder, const std::string& name,
                            x509::Role role) {
    // A person takes it away.
    QUOIN_TRY(const PrivateKey key, PrivateKey::generate(ca.profile.algorithms.operator_));
    return issue_leaf(ca, folder, key,
                      {.profile = Profile::operator_,
                       .common_name = name,
                       .identity = Identity{Kind::operator_, ca.site, name, role},
                       .names = {},
                       .lifetime = ca.profile.lifetime.operator_});
}

Result<IssuingCa> open_issuing_ca(const fs::path& home, const fs::path& hierarchy) {
    const fs::path folder = hierarchy / "pki";
    if (!fs::exists(folder)) {
        return fail(Code::input_not_found, "{}: has no PKI; run: quoin pki init", home.string());
    }
    QUOIN_TRY(Settings settings, load_settings(home));
    QUOIN_TRY(PkiProfile profile, load_profile(hierarchy));
    QUOIN_TRY(crypto::Passphrase unlock, crypto::existing_unlock_key(home / "unlock.key"));
    QUOIN_TRY(PrivateKey key,
              keys::load_program_key(settings.keys, folder / "issuing.key", unlock));
    QUOIN_TRY(const Certificate root, first_of(folder / "root.crt"));
    QUOIN_TRY(std::string owner, owner_of(root));
    QUOIN_TRY(Certificate certificate, first_of(folder / "issuing.crt"));
    // The site is that of what was issued before.
    QUOIN_TRY(const Certificate quoind, first_of(hierarchy / "services" / "quoind.crt"));
    QUOIN_TRY(const Identity identity, quoind.identity());
    return IssuingCa{.site = identity.site,
                     .owner = std::move(owner),
                     .profile = std::move(profile),
                     .addresses = status_addresses(settings.status_url, certificate.serial_hex()),
                     .key = std::move(key),
                     .certificate = std::move(certificate),
                     .unlock = std::move(unlock),
                     .keys = std::move(settings.keys)};
}

}  // namespace quoin::server
