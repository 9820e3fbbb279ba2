#include "server/pki/issuers.hpp"

#include <algorithm>

#include "host/keys/program_key.hpp"
#include "server/pki/rotation.hpp"

namespace quoin::server {
namespace {

namespace fs = std::filesystem;

// Serials, as the files say.
Result<std::vector<std::string>> serials_of(const fs::path& pki) {
    QUOIN_TRY(const auto present, x509::Certificate::load(pki / "issuing.crt"));
    if (present.size() != 1) {
        return fail(Code::config_invalid, "{} must hold one certificate and holds {}",
                    (pki / "issuing.crt").string(), present.size());
    }
    std::vector<std::string> serials{present.front().serial_hex()};
    QUOIN_TRY(auto folders, entries(pki / earlier_name, ""));
    std::ranges::sort(folders);
    for (const fs::path& folder : folders) serials.push_back(folder.filename().string());
    return serials;
}

std::vector<std::string> serials_of(const Issuers& issuers) {
    std::vector<std::string> serials{issuers.present->certificate.serial_hex()};
    for (const IssuerPointer& one : issuers.earlier) {
        serials.push_back(one->certificate.serial_hex());
    }
    return serials;
}

}  // namespace

Result<IssuerPointer> load_issuer(const fs::path& folder, const keys::Choice& choice,
                                  const crypto::Passphrase& unlock) {
    QUOIN_TRY(const auto chain, x509::Certificate::load(folder / "issuing.crt"));
    QUOIN_TRY(crypto::PrivateKey key,
              keys::load_program_key(choice, folder / "issuing.key", unlock));
    return std::make_shared<const Issuer>(Issuer{.certificate = chain.front(),
                                                 .key = std::move(key),
                                                 .renew_now = fs::exists(folder / renew_now_name)});
}

Result<IssuersPointer> load_issuers(const fs::path& home, const keys::Choice& choice,
                                    const IssuersPointer& present) {
    if (present && is_settling(home)) return present;  // in a moment
    const fs::path pki = home / "pki";
    QUOIN_TRY(const auto serials, serials_of(pki));
    if (present && serials == serials_of(*present)) return present;
    QUOIN_TRY(const crypto::Passphrase unlock, crypto::existing_unlock_key(home / "unlock.key"));
    auto loaded = std::make_shared<Issuers>();
    QUOIN_TRY(loaded->present, load_issuer(pki, choice, unlock));
    for (const std::string& serial : std::span(serials).subspan(1)) {
        QUOIN_TRY(IssuerPointer one, load_issuer(pki / earlier_name / serial, choice, unlock));
        loaded->earlier.push_back(std::move(one));
    }
    return loaded;
}

}  // namespace quoin::server
