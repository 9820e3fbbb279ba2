#include <openssl/crypto.h>
#include <sys/stat.h>

#include <cerrno>
#include <system_error>

#include "host/crypto/crypto.hpp"
#include "host/files/files.hpp"

namespace quoin::crypto {
namespace {

constexpr std::size_t unlock_key_size = 32;  // bytes
constexpr std::size_t unlock_file_limit = 256;

void wipe(std::string& text) {
    text.resize(text.capacity());  // also what a short string kept beyond its end
    OPENSSL_cleanse(text.data(), text.size());
    text.clear();
}

}  // namespace

Passphrase::Passphrase(Passphrase&& other) noexcept : text_(std::move(other.text_)) {
    wipe(other.text_);
}

Passphrase& Passphrase::operator=(Passphrase&& other) noexcept {
    if (this != &other) {
        wipe(text_);
        text_ = std::move(other.text_);
        wipe(other.text_);
    }
    return *this;
}

Passphrase::~Passphrase() { wipe(text_); }

Result<Passphrase> existing_unlock_key(const std::filesystem::path& file) {
    struct stat status{};
    if (::stat(file.c_str(), &status) != 0) {
        return fail(errno == ENOENT ? Code::input_not_found : Code::resource_unavailable,
                    "{}: cannot read the unlock key: {}", file.string(),
                    std::generic_category().message(errno));
    }
    if ((status.st_mode & 0077U) != 0) {
        return fail(Code::config_invalid, "{}: others may use the unlock key; run: chmod 600 {}",
                    file.string(), file.string());
    }
    QUOIN_TRY(std::string text, files::read(file, unlock_file_limit));
    if (text.ends_with('\n')) text.pop_back();
    const bool sound = text.size() == 2 * unlock_key_size && from_hex(text).has_value();
    if (!sound) {
        wipe(text);
        return fail(Code::config_invalid, "{}: is not {} hexadecimal characters", file.string(),
                    2 * unlock_key_size);
    }
    return Passphrase(std::move(text));
}

Result<Passphrase> unlock_key(const std::filesystem::path& file) {
    auto existing = existing_unlock_key(file);
    if (existing || existing.error().code != Code::input_not_found) return existing;
    QUOIN_TRY(std::string text, random_hex(unlock_key_size));
    const auto created = files::create(file, text, 0600);
    wipe(text);
    // Somebody else may have made it in the meantime: then theirs counts.
    if (!created && created.error().code != Code::input_conflict) {
        return std::unexpected(created.error());
    }
    return existing_unlock_key(file);
}

}  // namespace quoin::crypto
