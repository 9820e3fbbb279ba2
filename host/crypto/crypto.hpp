// Keys, signatures, digests and random bytes on OpenSSL 3.5.
//
// Errors carry OpenSSL's own reason. Threads: PrivateKey and PublicKey are immutable after they are
// made and may be used from many threads at once; the free functions are thread-safe.
// Constant time: OpenSSL's (signing, key generation, decryption of stored keys).
#pragma once

#include <openssl/types.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/secret.hpp"
#include "host/crypto/algorithm.hpp"
#include "host/error.hpp"

namespace quoin::crypto {

using ByteVector = std::vector<std::uint8_t>;

struct KeyDeleter {
    void operator()(EVP_PKEY* key) const noexcept;
};

class PublicKey {
public:
    static Result<PublicKey> from_spki_der(Bytes der);
    explicit PublicKey(EVP_PKEY* adopted) : key_(adopted, KeyDeleter{}) {}
    Result<Algorithm> algorithm() const;
    Result<ByteVector> spki_der() const;
    // Pure mode; `context` is the algorithm's own context string (ML-DSA, SLH-DSA), at most 255
    // bytes, empty for Ed25519 and ECDSA. A wrong signature is Code::integrity_signature.
    Result<void> verify(Bytes message, Bytes signature, Bytes context = {}) const;
    EVP_PKEY* native() const { return key_.get(); }

private:
    std::shared_ptr<EVP_PKEY> key_;
};

// The passphrase or random key under which software keys are kept: never written in clear (I11).
class Passphrase {
public:
    explicit Passphrase(std::string text) : text_(std::move(text)) {}
    Passphrase(const Passphrase&) = delete;
    Passphrase& operator=(const Passphrase&) = delete;
    Passphrase(Passphrase&& other) noexcept;
    Passphrase& operator=(Passphrase&& other) noexcept;
    ~Passphrase();
    std::string_view expose() const { return text_; }

private:
    std::string text_;
};

// Reads the unlock key of a home (64 hex characters, file mode 0600), or makes it if it is not
// there. A file that others can read is refused: config_invalid.
Result<Passphrase> unlock_key(const std::filesystem::path& file);
Result<Passphrase> existing_unlock_key(const std::filesystem::path& file);

// The label of the one PEM block that the text is, with nothing before and behind it but white
// space; input_invalid for any other text, in which one reader would find another key than the
// next.
Result<std::string_view> label_of_pem(std::string_view text);

class PrivateKey {
public:
    explicit PrivateKey(EVP_PKEY* adopted) : key_(adopted, KeyDeleter{}) {}
    static Result<PrivateKey> generate(Algorithm algorithm);
    // PKCS#8, encrypted (AES-256-CBC, PBKDF2-HMAC-SHA256; scrypt for `slow`: for passphrases that a
    // person chose). The PEM label is ENCRYPTED PRIVATE KEY; a clear key is refused.
    static Result<PrivateKey> from_encrypted_pem(std::string_view pem,
                                                 const Passphrase& passphrase);
    // PEM of a key that stays in its store (label QUOIN KEY REFERENCE): it signs by asking there.
    static Result<PrivateKey> from_reference_pem(std::string_view pem);
    // Either of the two.
    static Result<PrivateKey> load(const std::filesystem::path& file, const Passphrase& passphrase);
    // Of a key in a store: its reference, which is no secret.
    Result<std::string> to_encrypted_pem(const Passphrase& passphrase, bool slow = false) const;
    // In clear (a key in a store: its reference). For a memory file handed to a program that cannot
    // decrypt (the broker), never for a disk.
    Result<std::string> danger_to_clear_pem() const;

    Result<Algorithm> algorithm() const;
    Result<PublicKey> public_key() const;
    Result<ByteVector> sign(Bytes message, Bytes context = {}) const;
    // The key itself says: it is our provider's, which has no private half of it.
    bool is_in_store() const;
    EVP_PKEY* native() const { return key_.get(); }

private:
    std::shared_ptr<EVP_PKEY> key_;
    std::string reference_;
};

using Sha256Digest = std::array<std::uint8_t, 32>;
using Sha3_512Digest = std::array<std::uint8_t, 64>;
Result<Sha256Digest> sha256(Bytes message);
Result<Sha3_512Digest> sha3_512(Bytes message);
// Of a file, read in pieces. A missing or unreadable file is input_not_found with its path.
Result<Sha3_512Digest> sha3_512_of_file(const std::filesystem::path& file);

// From OpenSSL's DRBG. Never fails silently.
Result<void> random_bytes(MutableBytes out);
Result<std::string> random_hex(std::size_t bytes);

std::string to_hex(Bytes bytes);                        // lower case
Result<ByteVector> from_hex(std::string_view text);     // refuses anything but pairs of hex digits
std::string to_base64(Bytes bytes);                     // one line, padded
Result<ByteVector> from_base64(std::string_view text);  // strict but for ASCII white space

// The newest entry of OpenSSL's error queue as text; clears the queue.
std::string openssl_error();

}  // namespace quoin::crypto
