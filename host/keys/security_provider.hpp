// The extension point for key stores: software, quoin-se, TPM 2.0, PKCS#11, and others' own.
//
// A store holds named private keys and uses them; no function returns a private key. What a store
// cannot do, it answers with input_unsupported, never with something weaker. Each implementation
// passes host/keys/conformance.hpp; examples/security_provider shows one made outside this tree.
//
// Names of keys and counters: [A-Za-z0-9_.-], 1..64 characters (check_name). Algorithms carry the
// names of host/crypto/algorithm.hpp ("ECDSA-P256", "ML-DSA-65") and beside them "X25519" and
// "ML-KEM-512" | "ML-KEM-768" | "ML-KEM-1024".
//
// Errors, the same in every store (host/keys/errors.hpp has the table):
//   input_invalid           a name, size or encoding
//   input_not_found         no such key or counter
//   input_conflict          the name is taken; it stays as it is
//   input_unsupported       the store cannot do this, or cannot enforce the policy asked for
//   input_unauthenticated   PIN, passphrase or authorisation is wrong, missing or locked out; the
//                           message says how a lockout ends
//   peer_forbidden          the key's policy does not allow this use
//   integrity_mismatch      the platform is not in the state that the key or blob is bound to, or
//                           what is stored is damaged
//   state_wrong             the store was zeroized
//   resource_unavailable    the store cannot be reached
//
// Threads: every function of every implementation may be called from many threads at once.
// Constant time: whoever touches a secret in this process (software) does it by OpenSSL or core/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.hpp"
#include "host/error.hpp"
#include "host/keys/secret_bytes.hpp"

namespace quoin::keys {

using ByteVector = std::vector<std::uint8_t>;

inline constexpr std::size_t max_name_size = 64;       // characters
inline constexpr std::size_t max_sealed_secret = 128;  // bytes; the least that every TPM takes
inline constexpr std::size_t max_nonce_size = 32;      // bytes; likewise
inline constexpr std::size_t max_message_size = 1U << 20U;

// Where private keys are while they are used.
enum class Residence : std::uint8_t {
    best_effort,       // memory of the using process: whoever reads it has them
    separate_process,  // a process of its own that gives them never out
    hardware,
};
std::string_view residence_name(Residence residence);  // "best effort" for people to read
std::optional<Residence> residence_by_name(std::string_view name);

struct Description {
    std::string kind;      // "software", "se", "tpm", "pkcs11"
    std::string location;  // where it is: folder, socket, TCTI, token; never a secret
    std::string product;   // what answered there, with its version
    Residence residence = Residence::best_effort;
    std::vector<std::string> algorithms;  // that generate() takes
    std::string sealed_by;  // what protects the store at rest: "passphrase", "TPM, PCRs sha256:0,7"
    bool seals = false;
    bool counts = false;
    bool attests = false;
};

// What a key may be used for, fixed when it is made. A store that cannot enforce a part of it
// refuses to make the key (input_unsupported).
struct UsePolicy {
    // Signs only what the store itself has made: attest(), never sign().
    bool attestation_only = false;
    // Usable only while the platform is in the state it has now (TPM: the store's PCRs).
    bool platform_bound = false;
    // Private operations in the key's life; 0: no limit.
    std::uint64_t max_uses = 0;
    std::uint32_t max_uses_per_minute = 0;  // 0: no limit
    // Every message to sign begins with this domain tag.
    std::string message_prefix = {};
    // Unix users (uid) who may use the key beside the one who made it.
    std::vector<std::uint32_t> users = {};

    bool operator==(const UsePolicy&) const = default;
};

struct KeyInfo {
    std::string name;
    std::string algorithm;
    UsePolicy policy;
};

// A statement of the store about itself, signed by one of its keys. `format` says how to read and
// verify it: "tpm2-quote" (host/keys/tpm/quote.hpp), "quoin-se" (host/keys/se/).
struct Attestation {
    std::string format;
    ByteVector statement;
    ByteVector signature;
};

class SecurityProvider {
public:
    SecurityProvider() = default;
    SecurityProvider(const SecurityProvider&) = delete;
    SecurityProvider& operator=(const SecurityProvider&) = delete;
    virtual ~SecurityProvider() = default;

    // Asks nothing of anybody: known since the store was opened.
    virtual Description describe() const = 0;

    // Durable when it returns.
    virtual Result<void> generate(std::string_view name, std::string_view algorithm,
                                  const UsePolicy& policy) = 0;
    virtual Result<std::vector<KeyInfo>> list() = 0;                   // by name
    virtual Result<ByteVector> public_key(std::string_view name) = 0;  // SubjectPublicKeyInfo, DER
    virtual Result<void> remove(std::string_view name) = 0;
    // Wipes every key, sealed root and counter of this store, here and at rest. After it every
    // function of this object is state_wrong, and what was sealed can be unsealed by nobody.
    virtual Result<void> zeroize() = 0;

    // The signature as X.509 has it: ECDSA in DER, hashed with SHA-256; the others pure, over the
    // message itself. `context`: ML-DSA's and SLH-DSA's own, at most 255 bytes; otherwise empty.
    virtual Result<ByteVector> sign(std::string_view name, Bytes message, Bytes context);

    // ML-KEM: a ciphertext; X25519: the peer's public key (32 bytes). An all-zero X25519 result is
    // input_invalid (RFC 7748, section 6.1); ML-KEM rejects implicitly (FIPS 203).
    virtual Result<SecretBytes> decapsulate(std::string_view name, Bytes ciphertext);

    // Encrypts up to max_sealed_secret bytes so that only this store, and only while its platform
    // state allows, opens them again. The caller keeps the blob; it is no secret.
    virtual Result<ByteVector> seal(Bytes secret);
    // A blob of another store, a changed blob or a changed platform: integrity_mismatch.
    virtual Result<SecretBytes> unseal(Bytes blob);

    // A counter that never goes back, also when the disk does. A new one starts anywhere.
    virtual Result<std::uint64_t> create_counter(std::string_view name);
    virtual Result<std::uint64_t> increment_counter(std::string_view name);  // the new value
    virtual Result<std::uint64_t> read_counter(std::string_view name);

    // A PEM that says where the key is (label QUOIN KEY REFERENCE): any OpenSSL program that has
    // our provider uses it as a private key file, and never holds the key. It is no secret.
    virtual Result<std::string> key_reference(std::string_view name);

    // By a key made with attestation_only. `nonce`: 1..max_nonce_size bytes, the verifier's.
    virtual Result<Attestation> attest(std::string_view name, Bytes nonce);

protected:
    // fail(input_unsupported, ...) that names the store and what it cannot do.
    std::unexpected<Error> unsupported(std::string_view operation) const;
};

// input_invalid unless it is the name of a key or counter. "." and ".." are no names.
Result<void> check_name(std::string_view name);

}  // namespace quoin::keys
