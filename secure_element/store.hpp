// The key store at rest: one file, sealed, written whole.
//
//   FOLDER/store        "QSE1" | u8 kind (0: 32-byte key, 1: Argon2id) | u32 memory in KiB |
//                       u32 passes | u32 lanes | salt 16 | sealed contents (sealer.hpp), with all
//                       before them as associated data
//   FOLDER/store.lock   held while quoin-se runs
//
// A change is written beside the file, synced and renamed: after a crash the file is the old one or
// the new one (host/files). The generation in it grows with each attempt to write.
//
// NOT protected: whoever puts back an old copy of the file brings back its keys and counters.
// Finding that takes an anchor outside the disk (issue 6).
//
// Errors: input_unauthenticated: the key or passphrase is wrong, or the file was changed (nobody
// can tell which); integrity_mismatch: not a store, or damaged before anything can be tried;
// resource_unavailable: the disk, or another quoin-se holds it. Threads: one owner.
#pragma once

#include <filesystem>
#include <optional>
#include <variant>

#include "host/files/files.hpp"
#include "host/keys/se/protocol.hpp"
#include "secure_element/key.hpp"
#include "secure_element/sealer.hpp"

namespace quoin::secure_element {

using keys::se::Many;
using keys::se::Name;
using keys::se::Policy;

struct StoredKey {
    Name name;
    Algorithm algorithm = Algorithm::ed25519;
    std::uint32_t owner = 0;
    Policy policy;
    std::uint64_t uses = 0;
    SecretBytes material;

    auto fields(this auto&& self) {
        return std::tie(self.name, self.algorithm, self.owner, self.policy, self.uses,
                        self.material);
    }
};

struct StoredCounter {
    Name name;
    std::uint32_t owner = 0;
    std::uint64_t value = 0;

    auto fields(this auto&& self) { return std::tie(self.name, self.owner, self.value); }
};

struct Contents {
    std::uint8_t version = 1;
    std::uint64_t generation = 0;
    std::uint8_t zeroized = 0;
    SecretBytes attestation;  // ML-DSA-65 material; empty when zeroized
    Many<StoredKey, keys::se::max_keys> keys;
    Many<StoredCounter, keys::se::max_counters> counters;

    auto fields(this auto&& self) {
        return std::tie(self.version, self.generation, self.zeroized, self.attestation, self.keys,
                        self.counters);
    }
};

// What opens the store.
using RawKey = SecretBytes;  // 32 bytes, from a launcher
struct Passphrase {
    SecretBytes text;
};
using Unlock = std::variant<RawKey, Passphrase>;

// Argon2id, second recommended choice of RFC 9106, section 4. Written into the file when it is
// made.
struct Argon2Cost {
    std::uint32_t memory_kib = 64U << 10U;
    std::uint32_t passes = 3;
    std::uint32_t lanes = 4;
};

class Store {
public:
    // The store of the folder, and what is in it; a new, empty one (generation 0, not yet written)
    // if there is none.
    struct Opened;
    static Result<Opened> open(const std::filesystem::path& folder, const Unlock& unlock,
                               const Argon2Cost& cost = {});

    // Durable when it returns. Raises contents.generation, also when it fails.
    Result<void> save(Contents& contents);
    // save(), then overwrites what the old file held (where the disk still has it).
    Result<void> save_and_shred(Contents& contents);

private:
    Store(files::HeldFolder folder, files::Lock lock, std::filesystem::path path)
        : folder_(std::move(folder)), lock_(std::move(lock)), path_(std::move(path)) {}
    Result<void> unlock_with(const Unlock& unlock);

    files::HeldFolder folder_;
    files::Lock lock_;
    std::filesystem::path path_;  // for messages
    ByteVector header_;
    std::unique_ptr<Sealer> sealer_;
};

struct Store::Opened {
    Store store;
    Contents contents;
    bool is_new = false;
};

}  // namespace quoin::secure_element

template <>
struct quoin::keys::se::codec::Field<quoin::keys::SecretBytes> {
    static std::size_t size(const SecretBytes& value) { return 1 + value.size(); }
    static core::Result<void> put(Writer& to, const SecretBytes& value) {
        return Field<Sized<max_private_key_size>>::put(to, {value.expose()});
    }
    static core::Result<void> take(Reader& from, SecretBytes& value) {
        Sized<max_private_key_size> view;
        QUOIN_CHECK(Field<Sized<max_private_key_size>>::take(from, view));
        value = SecretBytes(view.bytes.size());
        std::ranges::copy(view.bytes, value.expose_to_fill().begin());
        return {};
    }
};
