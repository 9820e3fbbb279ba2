// The protocol of quoin-se, version 1: what both sides read and write. This header is the
// specification; docs/spec/secure_element.md is its prose.
//
//   frame     over a Unix socket: u32 length, then that many bytes; over a bus: bus.hpp
//   request   u8 version = 1 | u8 command | u32 request id | the command's fields
//   reply     u8 version = 1 | u8 status  | u32 request id | the reply's fields (status 0)
//                                                          | u16 code, Sized<255> text (status 1)
//
// A connection is one client session. Its first command is hello; anything else before it, and a
// second hello, is state_wrong. One request at a time is answered before the next is read. Handles
// (ephemeral keys, AES sessions) are random, belong to the connection, and end with it.
//
// A request that cannot be read, is unknown, out of order or over a limit changes nothing and is
// answered by an error with its id (id 0 if that could not be read). After a frame with a length
// above the limit the connection is closed: nobody knows where the next one begins.
//
// There is no command that returns a private key. Encoding: codec.hpp.
#pragma once

#include <optional>
#include <variant>

#include "core/base/secret.hpp"
#include "host/keys/se/algorithm.hpp"
#include "host/keys/se/codec.hpp"

namespace quoin::keys::se {

inline constexpr std::uint8_t protocol_version = 1;

// Limits, all of them. Bytes, but for the last ones.
inline constexpr std::size_t max_message_size = 1U << 20U;  // to sign, seal or open
inline constexpr std::size_t max_sealed_overhead = 56;      // salt 32, counter 8, tag 16
inline constexpr std::size_t max_context_size = 255;
inline constexpr std::size_t max_prefix_size = 64;
inline constexpr std::size_t max_nonce_size = 64;
inline constexpr std::size_t max_frame_size = max_message_size + 4096;
inline constexpr std::size_t max_keys = 256;
inline constexpr std::size_t max_counters = 64;
inline constexpr std::size_t max_uids = 8;   // in one policy
inline constexpr std::size_t max_pcrs = 24;  // likewise
inline constexpr std::size_t max_quote_key_size = 128;
inline constexpr std::size_t max_quote_statement_size = 1024;
inline constexpr std::size_t max_quote_signature_size = 256;
inline constexpr std::size_t max_handles = 64;  // of one session
inline constexpr std::size_t max_statement_size = 512U << 10U;

enum class Command : std::uint8_t {
    hello = 0x01,
    generate = 0x10,
    describe,
    list,
    remove,
    sign = 0x20,
    decapsulate,
    agree,
    take_ephemeral = 0x30,
    derive_session,
    seal,
    open,
    drop,
    create_counter = 0x40,
    increment_counter,
    read_counter,
    attest = 0x50,
    zeroize = 0x60,
};

enum class Status : std::uint8_t { done = 0, failed = 1 };
inline bool is_known(Status status) { return status <= Status::failed; }

// What a key may be used for: bits.
enum Operation : std::uint8_t {
    may_sign = 1,
    may_decapsulate = 2,  // the shared secret leaves quoin-se
    may_agree = 4,        // likewise
    may_derive = 8,       // AES sessions, whose keys stay inside
    may_seal = 16,        // seal and open
    may_attest = 32,      // statements that quoin-se makes itself, and nothing else
};

// A key that signs only beside a TPM's quote (host/keys/tpm/quote.hpp): signed by `quote_key`, over
// just these PCRs with these values, and with quote_nonce(message) as its nonce, so that it is no
// older than the message. An empty `quote_key`: no platform.
struct Platform {
    Owned<max_quote_key_size> quote_key;  // SubjectPublicKeyInfo, ECDSA P-256
    Many<std::uint32_t, max_pcrs> pcrs;   // ascending, 0..23
    std::array<std::uint8_t, 32> pcr_digest{};

    auto fields(this auto&& self) { return std::tie(self.quote_key, self.pcrs, self.pcr_digest); }
    bool operator==(const Platform&) const = default;
};

// Fixed when the key is made. `uids`: who may use it beside its owner, who made it. `prefix`: every
// message to sign begins with it. `context`: if `context_fixed` is 1, the only one to sign with.
struct Policy {
    std::uint8_t operations = 0;
    std::uint64_t max_uses = 0;             // 0: no limit
    std::uint32_t max_uses_per_minute = 0;  // 0: no limit
    Many<std::uint32_t, max_uids> uids{};
    Owned<max_prefix_size> prefix{};
    std::uint8_t context_fixed = 0;
    Owned<max_context_size> context{};
    Platform platform{};

    auto fields(this auto&& self) {
        return std::tie(self.operations, self.max_uses, self.max_uses_per_minute, self.uids,
                        self.prefix, self.context_fixed, self.context, self.platform);
    }
    bool operator==(const Policy&) const = default;
};

// A key by name, or by the handle of an ephemeral one or of a session: an empty name means handle.
struct Target {
    std::string name;
    std::uint64_t handle = 0;
};

// What everybody may know of a key.
struct KeyEntry {
    Name name;
    Algorithm algorithm = Algorithm::ed25519;
    std::uint32_t owner = 0;  // uid
    Policy policy;
    std::uint64_t uses = 0;  // counted for keys with max_uses, otherwise 0
    std::array<std::uint8_t, 32> public_key_digest{};  // SHA-256; zeros for AES

    auto fields(this auto&& self) {
        return std::tie(self.name, self.algorithm, self.owner, self.policy, self.uses,
                        self.public_key_digest);
    }
};

using PublicKeyField = Sized<max_public_key_size>;

struct SharedSecretTag;
using SharedSecret = core::Secret<SharedSecretTag, 32>;

struct Nothing {
    auto fields(this auto&&) { return std::tie(); }
};
struct Handle {
    std::uint64_t handle = 0;
    auto fields(this auto&& self) { return std::tie(self.handle); }
};
struct CounterValue {
    std::uint64_t value = 0;
    auto fields(this auto&& self) { return std::tie(self.value); }
};

// Opens the session. `label`: for the log.
struct Hello {
    static constexpr Command command = Command::hello;
    Sized<64> label;
    auto fields(this auto&& self) { return std::tie(self.label); }
    struct Reply {
        std::array<std::uint8_t, 16> instance{};  // random, new with each start of quoin-se
        Sized<32> version;
        auto fields(this auto&& self) { return std::tie(self.instance, self.version); }
    };
};

// Durable before it is answered. The name is taken: input_conflict.
struct Generate {
    static constexpr Command command = Command::generate;
    Name name;
    Algorithm algorithm = Algorithm::ed25519;
    Policy policy;
    auto fields(this auto&& self) { return std::tie(self.name, self.algorithm, self.policy); }
    struct Reply {
        PublicKeyField public_key;
        auto fields(this auto&& self) { return std::tie(self.public_key); }
    };
};

struct Describe {
    static constexpr Command command = Command::describe;
    Name name;
    auto fields(this auto&& self) { return std::tie(self.name); }
    struct Reply {
        KeyEntry entry;
        PublicKeyField public_key;
        auto fields(this auto&& self) { return std::tie(self.entry, self.public_key); }
    };
};

// The keys that this client may use or remove, by name.
struct List {
    static constexpr Command command = Command::list;
    auto fields(this auto&&) { return std::tie(); }
    struct Reply {
        Many<KeyEntry, max_keys> keys;
        auto fields(this auto&& self) { return std::tie(self.keys); }
    };
};

struct Remove {
    static constexpr Command command = Command::remove;
    Name name;
    auto fields(this auto&& self) { return std::tie(self.name); }
    using Reply = Nothing;
};

// A TPM's: TPMS_ATTEST, and an ECDSA signature in DER. Empty where the key's policy wants none.
struct QuoteField {
    Sized<max_quote_statement_size> statement;
    Sized<max_quote_signature_size> signature;
    auto fields(this auto&& self) { return std::tie(self.statement, self.signature); }
};

// Pure mode. `context`: ML-DSA's, SLH-DSA's and the composites'; empty for Ed25519.
struct Sign {
    static constexpr Command command = Command::sign;
    Name key;
    Sized<max_context_size> context;
    Sized<max_message_size> message;
    QuoteField quote{};
    auto fields(this auto&& self) {
        return std::tie(self.key, self.context, self.message, self.quote);
    }
    struct Reply {
        Sized<max_signature_size> signature;
        auto fields(this auto&& self) { return std::tie(self.signature); }
    };
};

// A wrong ciphertext of the right size is no error (FIPS 203: implicit rejection).
struct Decapsulate {
    static constexpr Command command = Command::decapsulate;
    Target key;
    Sized<max_ciphertext_size> ciphertext;
    auto fields(this auto&& self) { return std::tie(self.key, self.ciphertext); }
    struct Reply {
        SharedSecret secret;
        auto fields(this auto&& self) { return std::tie(self.secret); }
    };
};

// X25519. A peer's key of small order is input_invalid.
struct Agree {
    static constexpr Command command = Command::agree;
    Target key;
    std::array<std::uint8_t, 32> peer{};
    auto fields(this auto&& self) { return std::tie(self.key, self.peer); }
    using Reply = Decapsulate::Reply;
};

// A key pair for one use (decapsulate, agree or derive_session), from the pool: X25519 or ML-KEM.
struct TakeEphemeral {
    static constexpr Command command = Command::take_ephemeral;
    Algorithm algorithm = Algorithm::x25519;
    auto fields(this auto&& self) { return std::tie(self.algorithm); }
    struct Reply {
        std::uint64_t handle = 0;
        PublicKeyField public_key;
        auto fields(this auto&& self) { return std::tie(self.handle, self.public_key); }
    };
};

// An AES-256-GCM session from a decapsulation (input: ciphertext) or X25519 (input: the peer's
// key). PRK = HKDF-Extract(SHA-256, salt "quoin-se-session-v1", shared secret); see seal.
struct DeriveSession {
    static constexpr Command command = Command::derive_session;
    Target key;
    Sized<max_ciphertext_size> input;
    Sized<64> info;  // binds the session to its use; both sides give the same
    auto fields(this auto&& self) { return std::tie(self.key, self.input, self.info); }
    using Reply = Handle;
};

// Under a session, or under an AES-256-GCM key by name. The result: salt 32 | counter 8 |
// ciphertext | tag 16. Key of the message = HKDF-Expand(PRK, "quoin-se-seal-v1" | info | 0 | salt,
// 32); the IV is 4 zeros and the counter. The salt is random, new for each session and start; the
// counter counts up inside: no key and IV come twice. Replays are the caller's to find.
struct Seal {
    static constexpr Command command = Command::seal;
    Target key;
    Sized<max_context_size> associated_data;
    Sized<max_message_size> plaintext;
    auto fields(this auto&& self) {
        return std::tie(self.key, self.associated_data, self.plaintext);
    }
    struct Reply {
        Sized<max_message_size + max_sealed_overhead> sealed;
        auto fields(this auto&& self) { return std::tie(self.sealed); }
    };
};

// Not sealed so: integrity_mismatch. A session does not open what it sealed itself
// (peer_replayed): nobody can send it its own messages back.
struct Open {
    static constexpr Command command = Command::open;
    Target key;
    Sized<max_context_size> associated_data;
    Sized<max_message_size + max_sealed_overhead> sealed;
    auto fields(this auto&& self) { return std::tie(self.key, self.associated_data, self.sealed); }
    struct Reply {
        Sized<max_message_size> plaintext;
        auto fields(this auto&& self) { return std::tie(self.plaintext); }
    };
};

// Ends an ephemeral key or a session.
struct Drop {
    static constexpr Command command = Command::drop;
    std::uint64_t handle = 0;
    auto fields(this auto&& self) { return std::tie(self.handle); }
    using Reply = Nothing;
};

// Counters belong to who made them, and are durable before they are answered. One begins at the
// microseconds since 1970, so that it does not go back when a store is made anew; none is removed.
struct CreateCounter {
    static constexpr Command command = Command::create_counter;
    Name name;
    auto fields(this auto&& self) { return std::tie(self.name); }
    using Reply = CounterValue;
};
struct IncrementCounter {
    static constexpr Command command = Command::increment_counter;
    Name name;
    auto fields(this auto&& self) { return std::tie(self.name); }
    using Reply = CounterValue;
};
struct ReadCounter {
    static constexpr Command command = Command::read_counter;
    Name name;
    auto fields(this auto&& self) { return std::tie(self.name); }
    using Reply = CounterValue;
};

// A signed statement over quoin-se's own state: attestation.hpp. By the key that it made at its
// first start, or by a key with may_attest.
struct Attest {
    static constexpr Command command = Command::attest;
    Sized<64> key;  // a name, or empty
    Sized<max_nonce_size> nonce;
    auto fields(this auto&& self) { return std::tie(self.key, self.nonce); }
    struct Reply {
        Algorithm algorithm = Algorithm::ml_dsa_65;
        PublicKeyField public_key;
        Sized<max_statement_size> statement;
        Sized<max_signature_size> signature;
        auto fields(this auto&& self) {
            return std::tie(self.algorithm, self.public_key, self.statement, self.signature);
        }
    };
};

// Destroys all keys and counters, here and on the disk. For administrators. Afterwards every
// command is state_wrong, also after a restart.
struct Zeroize {
    static constexpr Command command = Command::zeroize;
    auto fields(this auto&&) { return std::tie(); }
    using Reply = Nothing;
};

using Request = std::variant<Hello, Generate, Describe, List, Remove, Sign, Decapsulate, Agree,
                             TakeEphemeral, DeriveSession, Seal, Open, Drop, CreateCounter,
                             IncrementCounter, ReadCounter, Attest, Zeroize>;

struct Refusal {
    std::uint16_t code = 0;  // quoin::Code
    Sized<255> text;
    auto fields(this auto&& self) { return std::tie(self.code, self.text); }
};

inline constexpr std::size_t head_size = 6;

struct Incoming {
    std::uint32_t id = 0;  // 0 if there was none to read
    core::Result<Request> request;
};
// Never fails as a whole: what could not be read is in `request`. Views into `frame`.
Incoming read_request(Bytes frame);

// What is read may be secret: wipe it after use.
template <class Message>
core::Result<ByteVector> write_frame(std::uint8_t kind, std::uint32_t id, const Message& message) {
    ByteVector frame(head_size + codec::Field<Message>::size(message));
    core::Writer writer(frame);
    QUOIN_CHECK(writer.put_unsigned<1>(protocol_version));
    QUOIN_CHECK(writer.put_unsigned<1>(kind));
    QUOIN_CHECK(writer.put_unsigned<4>(id));
    QUOIN_CHECK(codec::put(writer, message));
    QUOIN_CHECK(writer.finish());
    return frame;
}
template <class Message>
core::Result<ByteVector> write_request(std::uint32_t id, const Message& message) {
    return write_frame(std::to_underlying(Message::command), id, message);
}
template <class Message>
core::Result<ByteVector> write_reply(std::uint32_t id, const Message& message) {
    return write_frame(std::to_underlying(Status::done), id, message);
}
// A text that is too long is cut.
ByteVector write_refusal(std::uint32_t id, Code code, std::string_view text);

struct ReplyHead {
    Status status = Status::done;
    std::uint32_t id = 0;
    Bytes body;
};
core::Result<ReplyHead> read_reply_head(Bytes frame);

}  // namespace quoin::keys::se

template <>
struct quoin::keys::se::codec::Field<quoin::keys::se::Target> {
    static std::size_t size(const Target& value) {
        return 1 + (value.name.empty() ? 8 : value.name.size());
    }
    static core::Result<void> put(Writer& to, const Target& value) {
        if (!value.name.empty()) return Field<Name>::put(to, {value.name});
        QUOIN_CHECK(to.put_unsigned<1>(0));
        return to.put_unsigned<8>(value.handle);
    }
    // 0: a handle follows; otherwise the length of a name.
    static core::Result<void> take(Reader& from, Target& value) {
        Sized<64> name;
        QUOIN_CHECK(Field<Sized<64>>::take(from, name));
        value.name = text_of(name.bytes);
        if (value.name.empty()) return Field<std::uint64_t>::take(from, value.handle);
        if (!is_name(value.name)) return std::unexpected(Code::peer_malformed);
        return {};
    }
};
