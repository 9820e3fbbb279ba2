// What quoin-se says of itself, signed: its version and start, every key's policy and public
// digest, and its counters, with the verifier's nonce.
//
// Signed pure over the encoded statement, with the context `attestation_context` where the
// algorithm has one; the statement begins with the same words, for where it has none. A key that
// makes statements (may_attest) signs nothing else.
#pragma once

#include "host/keys/se/protocol.hpp"

namespace quoin::keys::se {

inline constexpr std::string_view attestation_context = "quoin-se-attestation-v1";

struct CounterEntry {
    Name name;
    std::uint32_t owner = 0;
    std::uint64_t value = 0;
    auto fields(this auto&& self) { return std::tie(self.name, self.owner, self.value); }
};

struct Statement {
    Owned<32> domain;  // attestation_context
    Owned<max_nonce_size> nonce;
    Owned<32> version;                        // of quoin-se
    std::array<std::uint8_t, 16> instance{};  // as Hello::Reply
    std::uint64_t generation = 0;             // of the key store
    Owned<64> key;                            // who signs: empty: quoin-se's own
    Many<KeyEntry, max_keys> keys;            // all, by name
    Many<CounterEntry, max_counters> counters;

    auto fields(this auto&& self) {
        return std::tie(self.domain, self.nonce, self.version, self.instance, self.generation,
                        self.key, self.keys, self.counters);
    }
};

// The statement in `encoded`, if it is one and answers `nonce`: peer_malformed, peer_replayed.
// The signature is the caller's to verify first, with the attestation key that it trusts.
Result<Statement> read_statement(Bytes encoded, Bytes nonce);

}  // namespace quoin::keys::se
