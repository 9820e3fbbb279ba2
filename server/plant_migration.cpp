// How a running plant follows a migration to another suite, and a new issuing CA: migration.hpp and
// rotation.hpp of server/pki.
#include <spdlog/spdlog.h>

#include <algorithm>

#include "host/keys/program_key.hpp"
#include "server/plant_process.hpp"

namespace quoin::server {

// A migration was finished: what is loaded here is of the hierarchy before.
bool PlantProcess::has_another_root() const {
    const auto root = x509::Certificate::load(home_ / "pki" / "root.crt");
    if (!root) {
        spdlog::error("pki: {}", root.error().message);
        return false;
    }
    const auto now = root->front().sha256();
    const auto ours = authority_->root().sha256();
    return now && ours && *now != *ours;
}

Result<tls::Credentials> PlantProcess::credentials_of_next(const NextHierarchy& next,
                                                           std::string_view service) const {
    const std::filesystem::path folder = next.folder / "services";
    QUOIN_TRY(const crypto::Passphrase unlock, crypto::existing_unlock_key(home_ / "unlock.key"));
    QUOIN_TRY(std::vector<x509::Certificate> chain,
              x509::Certificate::load(folder / fmt::format("{}.crt", service)));
    QUOIN_TRY(
        crypto::PrivateKey key,
        keys::load_program_key(settings_.keys, folder / fmt::format("{}.key", service), unlock));
    return tls::Credentials{.chain = std::move(chain), .key = std::move(key)};
}

// Who answers for each of the issuing CAs: the responder in services/ for the one that made it, the
// one in next/ for that of the second hierarchy, and any other for itself.
Result<void> PlantProcess::replace_responders() {
    QUOIN_TRY(const auto* const own, credentials("ocsp"));
    QUOIN_TRY(const auto* const quoind, credentials("quoind"));
    std::vector<OcspResponder::Signer> signers{{own->chain.back(), *own}};
    std::vector<x509::Certificate> stapled{quoind->chain.front()};
    const NextPointer next = authority_->next();
    if (next) {
        QUOIN_TRY(tls::Credentials its, credentials_of_next(*next, "ocsp"));
        QUOIN_TRY(const auto chain,
                  x509::Certificate::load(next->folder / "services" / "quoind.crt"));
        signers.push_back({its.chain.back(), std::move(its)});
        stapled.push_back(chain.front());
    }
    for (const IssuerPointer& issuer : authority_->all_issuers()) {
        const x509::Certificate& its = issuer->certificate;
        const bool is_there = std::ranges::any_of(
            signers, [&](const auto& one) { return one.issuing.serial_hex() == its.serial_hex(); });
        if (!is_there) signers.push_back({its, {.chain = {its}, .key = issuer->key}});
    }
    return ocsp_->replace(std::move(signers), stapled);
}

}  // namespace quoin::server
