// The signed manifest of a home: docs/decisions/0017. A text of lines, sorted by path:
//
//   quoin-integrity 1
//   SHA3-512 in hex, two spaces, absolute path
//
// Errors: config_missing (no manifest, no pinned key), integrity_signature, integrity_mismatch with
// the name of the file. Threads: plain values.
#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>

#include "host/crypto/crypto.hpp"

namespace quoin::integrity {

class Manifest {
public:
    // Reads, and hashes, each file.
    static Result<Manifest> measure(std::span<const std::filesystem::path> files);
    static Result<Manifest> parse(std::string_view text);
    std::string text() const;
    const std::map<std::string, std::string>& digests() const { return digests_; }  // by path

    // Whether each file is what it was.
    Result<void> check_files() const;
    // Whether what `file` is (by any name: a descriptor's, too) is in the list.
    Result<void> check_listed(const std::filesystem::path& file) const;

private:
    std::map<std::string, std::string> digests_;
};

// Into HOME/integrity. The key is ML-DSA-65.
Result<void> sign(const std::filesystem::path& home, const Manifest& manifest,
                  const crypto::PrivateKey& key);
// /etc/quoin/integrity.pub, or what QUOIN_INTEGRITY_KEY names.
std::filesystem::path pinned_key_file();
// The manifest of a home, when the pinned key has signed it.
Result<Manifest> load(const std::filesystem::path& home);

// In approved mode: the manifest, all its files, and that this program's image, its provider and
// `files` are among them. Elsewhere nothing.
Result<void> check_start(const std::filesystem::path& home,
                         std::span<const std::filesystem::path> files);

}  // namespace quoin::integrity
