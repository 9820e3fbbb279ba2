// A passphrase from a file or from the person at the terminal.
#pragma once

#include <string>

#include "host/crypto/crypto.hpp"

namespace quoin::cli {

// `file`: its first line, the whole file being one line; others must not be able to read it. Empty:
// asked for on the terminal, without echo, twice. No file and no terminal: config_missing, naming
// `option`.
Result<crypto::Passphrase> read_passphrase(const std::string& file, std::string_view option,
                                           std::string_view what);
// One that is there already: asked for once.
Result<crypto::Passphrase> existing_passphrase(const std::string& file, std::string_view option,
                                               std::string_view what);

}  // namespace quoin::cli
