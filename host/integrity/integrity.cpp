#include "host/integrity/integrity.hpp"

#include <algorithm>
#include <cstdlib>

#include "host/approved_mode.hpp"
#include "host/crypto/library.hpp"
#include "host/files/files.hpp"

namespace quoin::integrity {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view first_line = "quoin-integrity 1";
constexpr std::string_view context = "quoin integrity 1";
constexpr std::string_view gap = "  ";
constexpr std::size_t digest_digits = 128;

Result<std::string> digest_of(const fs::path& file) {
    QUOIN_TRY(const auto digest, crypto::sha3_512_of_file(file));
    return crypto::to_hex(digest);
}

Result<crypto::PublicKey> pinned_key() {
    const fs::path file = pinned_key_file();
    const auto text = files::read(file);
    if (!text) {
        return fail(Code::config_missing,
                    "{}: approved mode needs the public key of the integrity manifest here: "
                    "quoin integrity sign makes it",
                    text.error().message);
    }
    std::string hex = *text;
    if (hex.ends_with('\n')) hex.pop_back();
    QUOIN_TRY(const auto der, crypto::from_hex(hex));
    QUOIN_TRY(auto key, crypto::PublicKey::from_spki_der(der));
    QUOIN_TRY(const auto algorithm, key.algorithm());
    if (algorithm == crypto::Algorithm::ml_dsa_65) return key;
    return fail(Code::config_invalid, "{}: is no key of ML-DSA-65", file.string());
}

}  // namespace

Result<Manifest> Manifest::measure(std::span<const fs::path> files) {
    Manifest manifest;
    for (const fs::path& file : files) {
        QUOIN_TRY(std::string digest, digest_of(file));
        manifest.digests_.insert_or_assign(file.string(), std::move(digest));
    }
    return manifest;
}

Result<Manifest> Manifest::parse(std::string_view text) {
    const auto wrong = [] {
        return fail(Code::integrity_mismatch, "is no manifest of quoin integrity sign");
    };
    Manifest manifest;
    std::string before;
    bool is_first = true;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        if (end == std::string_view::npos) return wrong();
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(end + 1);
        if (std::exchange(is_first, false)) {
            if (line != first_line) return wrong();
            continue;
        }
        const bool sound = line.size() > digest_digits + gap.size() &&
                           line.substr(digest_digits, gap.size()) == gap &&
                           line[digest_digits + gap.size()] == '/' &&
                           crypto::from_hex(line.substr(0, digest_digits)).has_value();
        if (!sound) return wrong();
        std::string path(line.substr(digest_digits + gap.size()));
        if (path <= before) return wrong();  // sorted, and none twice
        manifest.digests_.emplace(path, line.substr(0, digest_digits));
        before = std::move(path);
    }
    if (manifest.digests_.empty()) return wrong();
    return manifest;
}

std::string Manifest::text() const {
    std::string text = fmt::format("{}\n", first_line);
    for (const auto& [path, digest] : digests_) {
        text += fmt::format("{}{}{}\n", digest, gap, path);
    }
    return text;
}

Result<void> Manifest::check_files() const {
    for (const auto& [path, known] : digests_) {
        QUOIN_TRY(const std::string digest, digest_of(path));
        if (digest != known) {
            return fail(Code::integrity_mismatch,
                        "{}: is not what the integrity manifest says; put it back, or sign a new "
                        "manifest (quoin integrity sign)",
                        path);
        }
    }
    return {};
}

Result<void> Manifest::check_listed(const fs::path& file) const {
    QUOIN_TRY(const std::string digest, digest_of(file));
    const bool listed =
        std::ranges::any_of(digests_, [&](const auto& entry) { return entry.second == digest; });
    if (listed) return {};
    std::error_code failure;
    const fs::path target = fs::read_symlink(file, failure);
    return fail(Code::integrity_mismatch, "{}: is not in the integrity manifest",
                failure ? file.string() : target.string());
}

Result<void> sign(const fs::path& home, const Manifest& manifest, const crypto::PrivateKey& key) {
    const std::string text = manifest.text();
    QUOIN_TRY(const auto signature, key.sign(bytes_of(text), bytes_of(context)));
    const fs::path folder = home / "integrity";
    QUOIN_CHECK(files::make_private_folder(folder));
    // Whoever signs may be another user than the plant's, who reads it.
    std::error_code failure;
    fs::permissions(folder, fs::perms(0755), failure);
    if (failure) {
        return fail(Code::resource_unavailable, "{}: {}", folder.string(), failure.message());
    }
    QUOIN_CHECK(files::write_atomically(folder / "manifest", text, 0644));
    return files::write_atomically(folder / "signature", crypto::to_base64(signature) + "\n", 0644);
}

fs::path pinned_key_file() {
    const char* const named = std::getenv("QUOIN_INTEGRITY_KEY");
    return named != nullptr && *named != '\0' ? named : "/etc/quoin/integrity.pub";
}

Result<Manifest> load(const fs::path& home) {
    QUOIN_TRY(const auto key, pinned_key());
    const fs::path file = home / "integrity" / "manifest";
    const auto text = files::read(file);
    if (!text) {
        return fail(Code::config_missing,
                    "{}; approved mode needs a signed manifest: quoin integrity sign",
                    text.error().message);
    }
    QUOIN_TRY(const std::string encoded, files::read(home / "integrity" / "signature"));
    QUOIN_TRY(const auto signature, crypto::from_base64(encoded));
    if (!key.verify(bytes_of(*text), signature, bytes_of(context))) {
        return fail(Code::integrity_signature, "{}: is not signed by the key in {}", file.string(),
                    pinned_key_file().string());
    }
    auto manifest = Manifest::parse(*text);
    if (!manifest) {
        return fail(manifest.error().code, "{}: {}", file.string(), manifest.error().message);
    }
    return manifest;
}

Result<void> check_start(const fs::path& home, std::span<const fs::path> files) {
    if (!approved_mode()) return {};
    QUOIN_TRY(const Manifest manifest, load(home));
    QUOIN_CHECK(manifest.check_files());
    QUOIN_CHECK(manifest.check_listed("/proc/self/exe"));
    QUOIN_CHECK(manifest.check_listed(crypto::provider_file()));
    for (const fs::path& file : files) QUOIN_CHECK(manifest.check_listed(file));
    return {};
}

}  // namespace quoin::integrity
