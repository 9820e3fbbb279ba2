// Where a store is, in one line: SCHEME:PLACE;OPTION=VALUE;OPTION=VALUE
//
//   software:/var/lib/quoin/keys;unlock=/var/lib/quoin/unlock.key
//   tpm:tcti=device:/dev/tpmrm0;dir=/var/lib/quoin/tpm;pcrs=0,2,7
//   pkcs11:module=/usr/lib/softhsm/libsofthsm2.so;token=plant;pin=/etc/quoin/pin
//   se:socket=/run/quoin/se.sock
//
// A value ends at the next ';'; %XX stands for any byte, as in RFC 3986. Secrets are never in it,
// only the names of files that hold them. Threads: plain values.
#pragma once

#include <filesystem>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "host/crypto/crypto.hpp"
#include "host/error.hpp"

namespace quoin::keys {

inline constexpr std::size_t max_uri_size = 4096;

class Uri {
public:
    // input_invalid names what is wrong; it is the caller's text, shown as it is.
    static Result<Uri> parse(std::string_view text);

    const std::string& scheme() const { return scheme_; }
    const std::string& place() const { return place_; }  // "" if only options follow
    const std::string& text() const { return text_; }

    // input_invalid unless every option is one of these, naming the first that is not.
    Result<void> check_options(std::initializer_list<std::string_view> known) const;
    std::string value_or(std::string_view option, std::string_view otherwise) const;
    Result<std::string> required(std::string_view option) const;

private:
    std::string text_;
    std::string scheme_;
    std::string place_;
    std::map<std::string, std::string, std::less<>> options_;
};

// A file with a PIN, passphrase or authorisation: its first line, at most 256 bytes. One that
// others may read is config_invalid. An empty name is an empty secret.
Result<crypto::Passphrase> read_secret_file(const std::filesystem::path& file);

}  // namespace quoin::keys
