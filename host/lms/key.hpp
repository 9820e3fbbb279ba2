// LMS/HSS keys in folders (see README.md), and verification. RFC 8554, SP 800-208, RFC 9802.
//
//   QUOIN_CHECK(lms::generate(folder, {Hash::sha256, {{15, 4}}}, passphrase, true, "none", {}));
//   QUOIN_TRY(auto key, lms::SigningKey::open(folder, passphrase, 1));
//   QUOIN_TRY(const auto signature, key.sign(message));
//
// Errors name the file. A damaged, restored or copied counter is integrity_mismatch, a key that
// another process uses resource_unavailable, an exhausted one resource_full, a signature that is
// wrong integrity_signature. Threads: a SigningKey has one owner; generate() uses all processors.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include "core/crypto/lms/index.hpp"
#include "core/crypto/lms/parameters.hpp"
#include "host/counters/store.hpp"
#include "host/crypto/crypto.hpp"

namespace quoin::lms {

using core::lms::Level;
using crypto::ByteVector;

enum class Hash { sha256, sha256_192, shake256, shake256_192 };
std::string_view hash_name(Hash hash);
std::size_t digest_size(Hash hash);  // n

struct Shape {
    Hash hash = Hash::sha256;
    std::vector<Level> levels;  // top first
};
// LMS_SHA256_M32_H10 W4, or with more levels HSS: ... / ...
std::string describe(const Shape& shape);
std::size_t signature_size(const Shape& shape);
// input_invalid: a height or width that does not exist, too many levels.
Result<std::uint64_t> capacity(const Shape& shape);

// Leaves made, of how many.
using Progress = std::function<void(std::uint64_t done, std::uint64_t total)>;

// A new key in a new folder. `slow`: the passphrase is a person's. `anchor`: what notices that the
// folder was restored or copied (host/counters/open_anchor.hpp); with "none" nothing does.
Result<void> generate(const std::filesystem::path& folder, const Shape& shape,
                      const crypto::Passphrase& passphrase, bool slow, std::string_view anchor,
                      const Progress& progress);

class Engine;

class SigningKey {
public:
    // Holds the key: one process at a time. `block`: how many indices one durable write reserves;
    // what is left of a block at the end is lost. `progress` is told when the nodes must be made.
    static Result<SigningKey> open(const std::filesystem::path& folder,
                                   const crypto::Passphrase& passphrase, std::uint64_t block,
                                   const Progress& progress = {});
    SigningKey(const SigningKey&) = delete;
    SigningKey& operator=(const SigningKey&) = delete;
    SigningKey(SigningKey&&) noexcept;
    SigningKey& operator=(SigningKey&&) = delete;
    ~SigningKey();

    Result<ByteVector> sign(Bytes message);

    // Signatures that can still be made.
    std::uint64_t left() const;
    std::uint64_t capacity() const { return capacity_; }
    const Shape& shape() const { return shape_; }

private:
    SigningKey(Shape shape, std::uint64_t capacity, std::unique_ptr<Engine> engine,
               std::unique_ptr<counters::Store> store, std::uint64_t block);
    Shape shape_;
    std::uint64_t capacity_;
    std::unique_ptr<Engine> engine_;
    std::unique_ptr<counters::Store> store_;
    std::uint64_t block_size_;
    core::lms::Reservation block_;
};

// Less than a tenth is left: time for a new key, while the old one can still sign for it.
bool runs_low(std::uint64_t left, std::uint64_t capacity);

struct Status {
    std::string description;
    ByteVector public_key;
    std::uint64_t left = 0;
    std::uint64_t capacity = 0;
    std::string anchor;  // URI, or "none"
};
// Needs no passphrase and does not hold the key.
Result<Status> look_at(const std::filesystem::path& folder);

// The public key of a PEM file, or of a key folder.
Result<ByteVector> load_public_key(const std::filesystem::path& file);
// It says the top level and how many levels there are: `levels` has the top one only.
Result<Shape> shape_of_public_key(Bytes public_key);
Result<std::string> describe_public_key(Bytes public_key);
// The message file is read in pieces.
Result<void> verify_file(Bytes public_key, const std::filesystem::path& message, Bytes signature);

}  // namespace quoin::lms
