// AES-256-GCM with keys and IVs that never come twice: the store at rest, sessions, AES keys.
//
//   sealed = salt 32 | counter 8 | ciphertext | tag 16
//   key    = HKDF-Expand(PRK, "quoin-se-seal-v1" | info | 0 | salt, 32)    (RFC 5869, SHA-256)
//   IV     = 4 zeros | counter
//
// The salt is random, new with each Sealer; the counter is the Sealer's own. So no limit of random
// IVs applies, and a restart cannot repeat one. Arithmetic: core/crypto.
// Errors: integrity_mismatch: not sealed so. Threads: seal and open may run at once.
#pragma once

#include <array>
#include <atomic>

#include "core/base/secret.hpp"
#include "host/error.hpp"
#include "host/keys/se/codec.hpp"

namespace quoin::secure_element {

using keys::se::ByteVector;

struct RootTag;
using Root = core::Secret<RootTag, 32>;  // the PRK of a Sealer

inline constexpr std::size_t salt_size = 32;
inline constexpr std::size_t sealed_overhead = 56;

class Sealer {
public:
    // `refuses_own`: open() answers peer_replayed for what this Sealer sealed.
    static Result<std::unique_ptr<Sealer>> make(Root root, Bytes info, bool refuses_own);
    Sealer(const Sealer&) = delete;
    Sealer& operator=(const Sealer&) = delete;
    ~Sealer() = default;

    Result<ByteVector> seal(Bytes associated_data, Bytes plaintext);
    Result<ByteVector> open(Bytes associated_data, Bytes sealed) const;

private:
    struct MessageKeyTag;
    using MessageKey = core::Secret<MessageKeyTag, 32>;

    Sealer(Root root, Bytes info, bool refuses_own)
        : root_(std::move(root)), info_(info.begin(), info.end()), refuses_own_(refuses_own) {}
    void message_key(Bytes salt, MessageKey& key) const;

    Root root_;
    ByteVector info_;
    bool refuses_own_;
    std::array<std::uint8_t, salt_size> salt_{};
    MessageKey own_key_;
    std::atomic<std::uint64_t> counter_{0};
};

}  // namespace quoin::secure_element
