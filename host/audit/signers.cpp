#include "host/audit/signers.hpp"

#include <algorithm>
#include <string>

#include "host/files/files.hpp"

namespace quoin::audit {
namespace {

namespace fs = std::filesystem;

fs::path folder_of(const fs::path& home) { return home / "audit" / "earlier"; }

bool is_audit_service(std::span<const x509::Certificate> chain,
                      std::span<const x509::Certificate> anchors) {
    if (chain.empty()) return false;
    const auto identity = chain.front().identity();
    return identity && identity->kind == x509::Kind::service && identity->id == "audit" &&
           x509::verify_chain_as_issued(chain.front(), chain.subspan(1), anchors);
}

}  // namespace

Result<void> keep_signer(const fs::path& home) {
    const fs::path file = home / "services" / "audit.crt";
    QUOIN_TRY(const auto chain, x509::Certificate::load(file));
    QUOIN_TRY(const std::string pem, files::read(file));
    QUOIN_CHECK(files::make_private_folder(home / "audit"));
    QUOIN_CHECK(files::make_private_folder(folder_of(home)));
    return files::write_atomically(folder_of(home) / (chain.front().serial_hex() + ".crt"), pem,
                                   0600);
}

Result<std::vector<crypto::PublicKey>> earlier_signers(const fs::path& home,
                                                       std::span<const x509::Certificate> anchors) {
    std::vector<crypto::PublicKey> keys;
    std::error_code error;
    fs::directory_iterator entry(folder_of(home), error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
        if (entry->path().extension() != ".crt") continue;
        QUOIN_TRY(const auto chain, x509::Certificate::load(entry->path()));
        if (!is_audit_service(chain, anchors)) continue;
        QUOIN_TRY(crypto::PublicKey key, chain.front().public_key());
        keys.push_back(std::move(key));
    }
    if (error && error != std::errc::no_such_file_or_directory) {
        return fail(Code::resource_unavailable, "{}: {}", folder_of(home).string(),
                    error.message());
    }
    return keys;
}

}  // namespace quoin::audit
