#include "server/pki/offline_root.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <system_error>

#include "host/crypto/library.hpp"
#include "host/files/files.hpp"
#include "host/keys/program_key.hpp"
#include "host/x509/certificate.hpp"
#include "server/config/settings.hpp"
#include "server/pki/issuing.hpp"
#include "server/pki/record.hpp"
#include "server/pki/root.hpp"

namespace quoin::server {
namespace {

namespace fs = std::filesystem;
using crypto::Passphrase;
using crypto::PrivateKey;
using x509::Certificate;

constexpr const char* request_folder = "pki-request";

Result<void> no_pki_yet(const fs::path& home) {
    if (!fs::exists(home / "pki")) return {};
    return fail(Code::input_conflict, "{}: has a PKI already", home.string());
}

Result<void> remove_folder(const fs::path& folder) {
    std::error_code failure;
    fs::remove_all(folder, failure);
    if (!failure) return {};
    return fail(Code::resource_unavailable, "{}: {}", folder.string(), failure.message());
}

Result<x509::Request> read_request(const fs::path& file, const std::string& site,
                                   crypto::Algorithm algorithm, std::string_view sha256) {
    QUOIN_TRY(const std::string text, files::read(file, x509::max_der_size));
    QUOIN_TRY(const auto digest, crypto::sha256(bytes_of(text)));
    const std::string its_digest = crypto::to_hex(digest);
    if (!sha256.empty() && sha256 != its_digest) {
        return fail(Code::input_invalid,
                    "{}: its SHA-256 is {}, and not what the plant's machine showed: it is another "
                    "request",
                    file.string(), its_digest);
    }
    auto request = x509::Request::from_der(bytes_of(text));
    if (!request) {
        return fail(Code::input_invalid, "{}: {}", file.string(), request.error().message);
    }
    if (!issuing_number(request->common_name(), site)) {
        return fail(Code::input_invalid, "{}: is of \"{}\", and this root is that of {}",
                    file.string(), request->common_name(), site);
    }
    QUOIN_TRY(const auto its, request->public_key().algorithm());
    if (its == algorithm) return request;
    return fail(Code::input_invalid, "{}: its key is of {}, and this root's profile says {}",
                file.string(), crypto::info(its).name, crypto::info(algorithm).name);
}

// What an install that failed had made; its request stays.
Result<void> begin_again(const keys::Choice& choice, const std::string& owner,
                         const fs::path& staged, const KeyNotices& notices) {
    for (const char* name : {"services", "operator"}) QUOIN_CHECK(remove_folder(staged / name));
    for (const Service& service : services()) {
        QUOIN_TRY(const std::string prefix, keys::program_key_prefix(service.name, owner));
        QUOIN_CHECK(keys::remove_other_program_keys(choice, prefix, nullptr, notices.on_unreached));
    }
    return make_staged_folders(staged);
}

Result<IssuingCa> requested_ca(const PkiRequest& request, const fs::path& staged,
                               const Certificate& root, const Certificate& issuing,
                               const fs::path& certificate) {
    QUOIN_TRY(PkiProfile profile, load_profile(staged));
    QUOIN_TRY(Passphrase unlock, crypto::existing_unlock_key(request.home / "unlock.key"));
    QUOIN_TRY(PrivateKey key,
              keys::load_program_key(*request.keys, staged / "pki" / "issuing.key", unlock));
    QUOIN_CHECK(check_answer(issuing, root, key, certificate));
    QUOIN_TRY(std::string owner, owner_of(root));
    return IssuingCa{.site = request.site,
                     .owner = std::move(owner),
                     .profile = std::move(profile),
                     .addresses = status_addresses(request.status_url, issuing.serial_hex()),
                     .key = std::move(key),
                     .certificate = issuing,
                     .unlock = std::move(unlock),
                     .keys = *request.keys};
}

}  // namespace

Result<void> new_root(const PkiRequest& request, const Passphrase& root_passphrase) {
    QUOIN_CHECK(crypto::provider_is_loaded());
    QUOIN_CHECK(check_site(request.site));
    QUOIN_CHECK(check_witnesses(request.witnesses));
    QUOIN_CHECK(check_root_passphrase(root_passphrase));
    QUOIN_CHECK(no_pki_yet(request.home));
    QUOIN_TRY(const PkiProfile profile, chosen_profile(request));
    QUOIN_CHECK(files::make_private_folder(request.home));
    QUOIN_TRY(const files::Lock lock, files::lock_folder(request.home));
    QUOIN_TRY(Staging staging, Staging::make(request.home, ".root-"));
    QUOIN_TRY(const Root root, make_root(profile, request.site, root_passphrase, staging.path()));
    const fs::path folder = request.home / "pki";
    std::vector<std::string> steps{
        fmt::format("Take {} and profile.toml to the plant's machine.",
                    (folder / "root.crt").string()),
        "There: quoin pki issuing request --root root.crt --profile profile.toml",
        "Bring its issuing.csr here, and on another way the SHA-256 that it showed: quoin pki "
        "root sign issuing.csr --sha256 HEX --out issuing.crt",
        "Take issuing.crt to the plant: quoin pki issuing install issuing.crt"};
    std::ranges::move(root_key_steps(folder / "root.key"), std::back_inserter(steps));
    QUOIN_TRY(const std::string text,
              ceremony_text({.act = "root made on a machine of its own (quoin pki root new)",
                             .site = request.site,
                             .profile = profile,
                             .witnesses = request.witnesses,
                             .made = {{"ROOT CA", root.certificate}},
                             .next_steps = std::move(steps)}));
    QUOIN_CHECK(files::write_atomically(staging.path() / "ceremony.txt", text, 0600));
    QUOIN_CHECK(move_folder(staging.path(), folder));
    staging.keep();
    return {};
}

Result<fs::path> request_issuing(const PkiRequest& asked, const fs::path& root_certificate,
                                 const KeyNotices& notices) {
    QUOIN_CHECK(crypto::provider_is_loaded());
    QUOIN_CHECK(no_pki_yet(asked.home));
    PkiRequest request = asked;
    QUOIN_TRY(request.keys, key_choice(asked));
    QUOIN_TRY(request.status_url, status_url_of(asked));
    QUOIN_TRY(const PkiProfile profile, chosen_profile(asked));
    QUOIN_TRY(const Certificate root, first_of(root_certificate));
    QUOIN_TRY(request.site, site_of(root));
    const keys::Choice& choice = *request.keys;
    QUOIN_TRY(const std::string owner, owner_of(root));
    QUOIN_CHECK(files::make_private_folder(asked.home));
    QUOIN_TRY(const files::Lock lock, files::lock_folder(asked.home));
    const fs::path staged = asked.home / request_folder;
    QUOIN_TRY(const bool forgotten, remove_leftovers(choice, staged, notices));
    if (!forgotten) {
        return fail(Code::resource_unavailable,
                    "{}: the key of an earlier request is in a store that cannot be reached now: "
                    "try again when it can",
                    staged.string());
    }
    QUOIN_CHECK(remove_folder(staged));
    QUOIN_CHECK(make_staged_folders(staged));
    const fs::path folder = staged / "pki";
    QUOIN_CHECK(write_certificates(folder / "root.crt", std::span(&root, 1)));
    QUOIN_CHECK(files::write_atomically(folder / "profile.toml", profile.text, 0600));
    QUOIN_TRY(const Passphrase unlock, crypto::unlock_key(asked.home / "unlock.key"));
    QUOIN_TRY(const PrivateKey key,
              make_key(choice, owner, "issuing", profile.algorithms.issuing, notices));
    QUOIN_CHECK(write_key(folder / "issuing.key", key, unlock));
    QUOIN_TRY(const std::string csr, x509::Request::make_der(key, issuing_name(request.site, 1)));
    QUOIN_CHECK(write_configuration(request, profile.suite));
    fs::path file = staged / "issuing.csr";
    QUOIN_CHECK(files::write_atomically(file, csr, 0600));
    return file;
}

Result<fs::path> certify_request(const CertifyRequest& asked, const Passphrase& root_passphrase) {
    QUOIN_CHECK(crypto::provider_is_loaded());
    QUOIN_CHECK(check_witnesses(asked.witnesses));
    if (!asked.status_url.empty()) QUOIN_CHECK(check_status_url(asked.status_url));
    QUOIN_TRY(const PkiProfile profile, load_profile(asked.home));
    QUOIN_CHECK(files::check_create(asked.out));
    QUOIN_TRY(const Root root, open_root(asked.home, asked.root_key, root_passphrase));
    QUOIN_TRY(const std::string site, site_of(root.certificate));
    QUOIN_TRY(const x509::Request csr,
              read_request(asked.request, site, profile.algorithms.issuing, asked.request_sha256));
    QUOIN_TRY(const unsigned number, issuing_number(csr.common_name(), site));
    QUOIN_TRY(const Certificate issuing,
              certify_issuing(root, profile, csr.public_key(), asked.status_url, number));
    QUOIN_TRY(const std::string text,
              ceremony_text(
                  {.act = "issuing CA certified (quoin pki root sign)",
                   .site = site,
                   .profile = profile,
                   .witnesses = asked.witnesses,
                   .made = {{"ROOT CA (signed with)", root.certificate}, {"ISSUING CA", issuing}},
                   .next_steps = {"Take the certificate to the plant's machine: "
                                  "quoin pki issuing install FILE",
                                  "Put the root's key back into its sealed bags.",
                                  "Print this record, sign it, and keep it."}}));
    // The record first: nothing is certified that is not on it.
    fs::path record = asked.home / "pki" / fmt::format("ceremony-{}.txt", issuing.serial_hex());
    QUOIN_CHECK(files::create(record, text, 0600));
    QUOIN_TRY(const std::string pem, issuing.pem());
    QUOIN_CHECK(files::create(asked.out, pem, 0600));
    return record;
}

Result<void> install_issuing(const PkiRequest& asked, const fs::path& certificate,
                             const KeyNotices& notices) {
    QUOIN_CHECK(crypto::provider_is_loaded());
    QUOIN_CHECK(no_pki_yet(asked.home));
    QUOIN_CHECK(check_witnesses(asked.witnesses));
    const fs::path staged = asked.home / request_folder;
    if (!fs::exists(staged / "issuing.csr")) {
        return fail(Code::input_not_found,
                    "{}: has made no request; run: quoin pki issuing request", asked.home.string());
    }
    QUOIN_TRY(const files::Lock lock, files::lock_folder(asked.home));
    QUOIN_TRY(const Certificate root, first_of(staged / "pki" / "root.crt"));
    QUOIN_TRY(const auto chain, Certificate::load(certificate));
    PkiRequest request = asked;
    QUOIN_TRY(request.site, site_of(root));
    QUOIN_TRY(request.status_url, status_url_of(asked));
    QUOIN_TRY(request.keys, key_choice(asked));
    QUOIN_TRY(const IssuingCa ca, requested_ca(request, staged, root, chain.front(), certificate));
    QUOIN_CHECK(begin_again(ca.keys, ca.owner, staged, notices));
    QUOIN_CHECK(
        complete({.ca = ca,
                  .root = root,
                  .names = request.names,
                  .witnesses = request.witnesses,
                  .act = "issuing CA installed, services and operator made (quoin pki "
                         "issuing install)",
                  .next_steps = {"Compare the root's fingerprints above with those on the "
                                 "root's own record.",
                                 "Print this record, sign it, and keep it with the root's."}},
                 staged, notices));
    QUOIN_CHECK(write_configuration(request, ca.profile.suite));
    QUOIN_CHECK(move_in(staged, request.home));
    return remove_folder(staged);
}

}  // namespace quoin::server
