#include "server/service_files.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <limits>
#include <system_error>
#include <vector>

#include "host/crypto/crypto.hpp"
#include "host/keys/program_key.hpp"
#include "host/x509/certificate.hpp"

namespace quoin::server {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds retry_after{60};

Result<crypto::PrivateKey> key_of(const x509::Certificate& certificate, const fs::path& its_file,
                                  const keys::Choice& choice, const crypto::Passphrase& unlock) {
    const fs::path file = fs::path(its_file).replace_extension(".key");
    QUOIN_TRY(crypto::PrivateKey key, keys::load_program_key(choice, file, unlock));
    QUOIN_TRY(const auto named, certificate.public_key());
    QUOIN_TRY(const auto named_der, named.spki_der());
    QUOIN_TRY(const auto held, key.public_key());
    QUOIN_TRY(const auto held_der, held.spki_der());
    if (named_der == held_der) return key;
    return fail(Code::integrity_mismatch, "{}: is not the key of {}", file.string(),
                its_file.string());
}

}  // namespace

std::string look_at_services(const fs::path& home) {
    std::vector<std::string> seen;
    std::error_code gone_while_we_look;
    for (const auto& entry : fs::directory_iterator(home / "services", gone_while_we_look)) {
        struct stat status{};
        if (::stat(entry.path().c_str(), &status) != 0) continue;
        seen.push_back(fmt::format("{} {} {}.{}\n", entry.path().filename().string(), status.st_ino,
                                   status.st_mtim.tv_sec, status.st_mtim.tv_nsec));
    }
    std::ranges::sort(seen);
    std::string all;
    for (const std::string& line : seen) all += line;
    return all;
}

Result<ServiceSet> load_services(const fs::path& home, const keys::Choice& choice) {
    ServiceSet set{.renewal_ms = std::numeric_limits<std::int64_t>::max(),
                   .seen = look_at_services(home)};
    QUOIN_TRY(const crypto::Passphrase unlock, crypto::existing_unlock_key(home / "unlock.key"));
    std::vector<fs::path> certificates;
    std::error_code failure;
    for (const auto& entry : fs::directory_iterator(home / "services", failure)) {
        if (entry.path().extension() == ".crt") certificates.push_back(entry.path());
    }
    if (failure) {
        return fail(Code::resource_unavailable, "{}: {}", (home / "services").string(),
                    failure.message());
    }
    for (const fs::path& file : certificates) {
        QUOIN_TRY(std::vector<x509::Certificate> chain, x509::Certificate::load(file));
        const x509::Certificate& leaf = chain.front();
        const std::int64_t issued_ms = leaf.not_before_ms() + x509::clock_skew.count() * 1000;
        const std::int64_t life_ms = leaf.not_after_ms() - issued_ms;
        set.renewal_ms = std::min(set.renewal_ms, issued_ms + life_ms / 3 * 2);
        if (file.stem() == "broker") continue;
        QUOIN_TRY(crypto::PrivateKey key, key_of(leaf, file, choice, unlock));
        set.credentials.insert_or_assign(
            file.stem().string(),
            tls::Credentials{.chain = std::move(chain), .key = std::move(key)});
    }
    if (look_at_services(home) != set.seen) {
        return fail(Code::state_stale, "{}: was renewed while it was read",
                    (home / "services").string());
    }
    return set;
}

void Renewal::start() {
    if (running_.valid() || std::chrono::steady_clock::now() < not_before_) return;
    running_ = std::async(std::launch::async, work_);
}

std::optional<Result<void>> Renewal::outcome() {
    if (!running_.valid() ||
        running_.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
        return std::nullopt;
    }
    auto result = running_.get();
    not_before_ =
        std::chrono::steady_clock::now() + (result ? std::chrono::seconds(0) : retry_after);
    return result;
}

}  // namespace quoin::server
