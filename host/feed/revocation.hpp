// What a plant's issuing CA signs about revocations. Deterministic CBOR (RFC 8949, section 4.2.1),
// its domain tag in front; the signature is over exactly these bytes.
//
//   statement  ["quoin-revocation-v1", site, number, at_ms, reason, note, actor, previous,
//               [[device, epoch, [serial, ...]], ...]]
//   head       ["quoin-revocation-head-v1", site, number, last, nonce, entries]
//
//   number    of the statement, from 1, without gaps; a head has that of the last statement, 0:
//   none reason    CRLReason of RFC 5280; actor: who asked previous  SHA3-512 of the statement
//   before (not of its signature: those are not unique);
//             64 zero bytes before the first. `last` of a head: of the last statement
//   devices   strictly ascending by id, bytewise; each has ended, with its certificates that had
//             not expired (serials: byte strings, strictly ascending). More than fit are in the
//             next statement, with the device once more. Of a service (id service.NAME, epoch 1)
//             the certificates alone have ended
//   nonce     the plugin's of this connection: a head cannot be replayed
//   entries   SHA3-512 over the snapshot's lines about who has ended or has revoked certificates,
//             each as [device, epoch, ended (0 | 1), [serial, ...]]
//
// Errors: peer_malformed, peer_oversize. Threads: plain values.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/crypto/stream_digest.hpp"
#include "host/x509/revocation_reason.hpp"

namespace quoin::feed {

inline constexpr std::size_t max_statement_bytes = 32 * 1024;
inline constexpr std::size_t max_note_bytes = 200;
inline constexpr std::size_t max_actor_bytes = 160;
inline constexpr std::size_t max_serial_bytes = 20;  // RFC 5280, section 4.1.2.2
// An issuing CA may be of SLH-DSA-SHAKE-128f, and so may the root: 17,088 bytes a signature.
inline constexpr std::size_t max_issuer_bytes = 24 * 1024;
inline constexpr std::size_t max_signature_bytes = 18 * 1024;
inline constexpr std::size_t max_head_bytes = 512;
inline constexpr std::size_t nonce_bytes = 32;
using Nonce = std::array<std::uint8_t, nonce_bytes>;

// Ids of services beside those of devices, which cannot have such ones.
inline constexpr std::string_view service_prefix = "service.";
inline bool is_service(std::string_view id) { return id.starts_with(service_prefix); }

struct Ending {
    std::string device;
    std::uint64_t epoch = 1;
    std::vector<std::string> serials = {};  // hex
    bool operator==(const Ending&) const = default;
};

struct Statement {
    std::string site;
    std::uint64_t number = 0;
    std::int64_t at_ms = 0;
    x509::Reason reason = x509::Reason::unspecified;
    std::string note;
    std::string actor;
    crypto::Sha3_512Digest previous{};
    std::vector<Ending> devices;
    bool operator==(const Statement&) const = default;
};

struct Head {
    std::string site;
    std::uint64_t number = 0;
    crypto::Sha3_512Digest last{};
    Nonce nonce{};
    crypto::Sha3_512Digest entries{};
    bool operator==(const Head&) const = default;
};

// Sorts what must be sorted.
Result<crypto::ByteVector> encode_statement(Statement statement);
Result<Statement> decode_statement(Bytes bytes);
Result<crypto::ByteVector> encode_head(const Head& head);
Result<Head> decode_head(Bytes bytes);

// One statement's devices, as many as surely fit: takes them from the front of `devices`.
std::vector<Ending> take_portion(std::vector<Ending>& devices);

// A signature, and the certificate (DER) of the issuing CA that made it.
struct Seal {
    crypto::ByteVector signature;
    crypto::ByteVector issuer;
};
using Sign = std::function<Result<Seal>(Bytes message)>;

// A statement as it is recorded, and told to the plugin.
struct SealedStatement {
    std::uint64_t number = 0;
    crypto::ByteVector statement;
    Seal seal;
};

// Digest of a snapshot's revoked entries, fed in the order of the ids. Others are left out of it.
class EntriesDigest {
public:
    Result<void> add(std::string_view device, std::uint64_t epoch, bool ended,
                     std::vector<std::string> serials);
    Result<crypto::Sha3_512Digest> finish();

private:
    Result<void> begin();
    std::optional<crypto::Sha3_512Stream> stream_;
};

}  // namespace quoin::feed
