#include "host/keys/uri.hpp"

#include <openssl/crypto.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "host/files/files.hpp"
#include "host/percent.hpp"

namespace quoin::keys {
namespace {

constexpr std::size_t max_secret_line = 256;  // bytes

Result<std::string> decode(std::string_view text) {
    auto decoded = percent_decode(text);
    if (decoded) return *std::move(decoded);
    return fail(Code::input_invalid, "\"{}\": no two hexadecimal digits behind a %", text);
}

}  // namespace

Result<Uri> Uri::parse(std::string_view text) {
    if (text.size() > max_uri_size || std::ranges::any_of(text, [](char c) {
            return static_cast<unsigned char>(c) < ' ' || c == '\x7F';
        })) {
        return fail(Code::input_invalid,
                    "the URI of a key store is longer than {} bytes, or has control characters",
                    max_uri_size);
    }
    const std::size_t colon = text.find(':');
    if (colon == 0 || colon == std::string_view::npos) {
        return fail(Code::input_invalid,
                    "\"{}\" is no key store: write software:DIR, tpm:tcti=..., pkcs11:module=... "
                    "or se:socket=...",
                    text);
    }
    Uri uri;
    uri.text_ = text;
    uri.scheme_ = text.substr(0, colon);
    std::string_view rest = text.substr(colon + 1);
    for (bool first = true; !rest.empty(); first = false) {
        const std::string_view part = rest.substr(0, rest.find(';'));
        rest.remove_prefix(std::min(rest.size(), part.size() + 1));
        const std::size_t equals = part.find('=');
        if (equals == std::string_view::npos && first) {
            QUOIN_TRY(uri.place_, decode(part));
            continue;
        }
        if (equals == std::string_view::npos || equals == 0) {
            return fail(Code::input_invalid, "{}: \"{}\" is no OPTION=VALUE", text, part);
        }
        QUOIN_TRY(std::string value, decode(part.substr(equals + 1)));
        if (!uri.options_.emplace(part.substr(0, equals), std::move(value)).second) {
            return fail(Code::input_invalid, "{}: {} is there twice", text, part.substr(0, equals));
        }
    }
    return uri;
}

Result<void> Uri::check_options(std::initializer_list<std::string_view> known) const {
    for (const auto& [name, value] : options_) {
        if (std::ranges::find(known, name) == known.end()) {
            return fail(Code::input_invalid, "{}: {} has no option {}; it has: {}", text_, scheme_,
                        name, fmt::join(known, ", "));
        }
    }
    return {};
}

std::string Uri::value_or(std::string_view option, std::string_view otherwise) const {
    const auto found = options_.find(option);
    return found == options_.end() ? std::string(otherwise) : found->second;
}

Result<std::string> Uri::required(std::string_view option) const {
    const auto found = options_.find(option);
    if (found == options_.end() || found->second.empty()) {
        return fail(Code::input_invalid, "{}: {}= is missing", text_, option);
    }
    return found->second;
}

Result<crypto::Passphrase> read_secret_file(const std::filesystem::path& file) {
    if (file.empty()) return crypto::Passphrase(std::string());
    struct stat status{};
    if (::stat(file.c_str(), &status) != 0) {
        // Without it nobody may try another store: it is as bad as a wrong one.
        return fail(Code::input_unauthenticated, "{}: cannot read the PIN or passphrase: {}",
                    file.string(), std::generic_category().message(errno));
    }
    if ((status.st_mode & 0077U) != 0) {
        return fail(Code::config_invalid, "{}: others may read the secret; run: chmod 600 {}",
                    file.string(), file.string());
    }
    auto text = files::read(file, max_secret_line);
    if (!text) return fail(Code::input_unauthenticated, "{}", text.error().message);
    std::string line = text->substr(0, text->find('\n'));
    OPENSSL_cleanse(text->data(), text->size());
    return crypto::Passphrase(std::move(line));
}

}  // namespace quoin::keys
