// How a running plant follows a migration to another suite: server/pki/migration.hpp.
#include <spdlog/spdlog.h>

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

// The status of what the second hierarchy issues, while there is one.
Result<void> PlantProcess::follow_migration() {
    const NextPointer next = authority_->next();
    migrates_ = false;
    if (!next) return {};
    QUOIN_TRY(tls::Credentials own, credentials_of_next(*next, "ocsp"));
    ocsp_next_->replace(next->issuing, std::move(own));
    QUOIN_TRY(const auto quoind, x509::Certificate::load(next->folder / "services" / "quoind.crt"));
    QUOIN_CHECK(ocsp_next_->keep_staple(quoind.front()));
    migrates_ = true;
    return {};
}

OcspResponder& PlantProcess::responder(const net::HttpRequest& request) const {
    return migrates_ && ocsp_next_->is_asked(request) ? *ocsp_next_ : *ocsp_;
}

}  // namespace quoin::server
