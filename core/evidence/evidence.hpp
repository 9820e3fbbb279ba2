// Attestation evidence: EAT claims in deterministic CBOR, signed as COSE_Sign1. Layout only: the
// signature itself is made and checked by the caller's crypto. Byte page: docs/spec/evidence.md.
//
// To make it:  encode_claims -> payload; encode_signed_part -> what is signed, with
// SLH-DSA-SHAKE-128f in pure
//              mode and an empty context; encode_message -> what is sent.
// To check it: decode_message -> payload and signature; decode_claims -> claims; encode_signed_part
// with the
//              device that the claims name -> what the signature must cover.
//
// Sizes in bytes:
//   nonce 32 | digest 64 (SHA3-512) | signature 17,088 | payload <= 8,192 | message <= 32,768
//   device id 1..128 | class 1..16 | release 1..64 | measurements 1..64 | measurement name 1..64
//   quote: statement 1..1024, signature 1..256
// Errors: peer_malformed, peer_oversize, peer_unauthenticated (no signature) when decoding;
// input_invalid (a claim out of its range) and resource_full (the buffer is too small) when
// encoding. Source: RFC 9711 (EAT), RFC 8392 (CWT), RFC 9052 (COSE), RFC 8949 section 4.2
// (deterministic CBOR). Threads: pure functions. No heap, no exceptions. Stack: under 1 KiB. Not
// constant time: no secrets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/base/bytes.hpp"

namespace quoin::evidence {

inline constexpr std::size_t nonce_size = 32;
inline constexpr std::size_t digest_size = 64;
inline constexpr std::size_t signature_size = 17088;
inline constexpr std::size_t max_payload_size = 8192;
inline constexpr std::size_t max_message_size = 32768;
// A payload, the device id, and 64 bytes for heads, protected header and domain tag.
inline constexpr std::size_t max_signed_part_size = max_payload_size + 128 + 64;
inline constexpr std::size_t max_device_size = 128;
inline constexpr std::size_t max_class_size = 16;
inline constexpr std::size_t max_release_size = 64;
inline constexpr std::size_t max_name_size = 64;
inline constexpr std::size_t max_measurements = 64;
inline constexpr std::size_t max_quote_statement_size = 1024;
inline constexpr std::size_t max_quote_signature_size = 256;
inline constexpr std::uint64_t max_counter = (std::uint64_t{1} << 53U) - 1;

// COSE algorithm of SLH-DSA-SHAKE-128f: private use (RFC 9053: less than -65536), because none is
// registered.
inline constexpr std::int64_t algorithm_slh_dsa_shake_128f = -65537;
inline constexpr std::string_view profile = "urn:quoin:evidence:v1";
inline constexpr std::string_view domain_tag = "quoin-evidence-v1";

// What backs the measurements. A device may claim any; only what the verifier can check counts.
enum class Level : std::uint8_t { self_reported = 0, boot_signed = 1, tpm_quoted = 2 };

struct Measurement {
    std::string_view name;  // 1..64 of [A-Za-z0-9_.:/-]
    Bytes digest;           // SHA3-512, 64 bytes
};

struct Claims {
    std::string_view device;         // I0
    std::uint64_t issued_s = 0;      // UTC seconds, the device's clock
    Bytes nonce;                     // the challenge's
    std::uint64_t boot_counter = 0;  // <= 2^53 - 1
    std::string_view release;        // [A-Za-z0-9_.+-]
    Bytes ldevid_sha3_512;           // of the DER of the certificate that the session uses
    std::string_view device_class;   // [a-z0-9_-]
    Level level = Level::self_reported;
    std::span<const Measurement> measurements;  // any order when encoding; unique names
};

// Room for the measurements of one decoded message.
struct MeasurementStorage {
    Measurement slots[max_measurements];
};

// A TPM's quote beside the evidence, bound to what the evidence signs. Both empty: there is none.
struct Quote {
    Bytes statement;  // TPMS_ATTEST
    Bytes signature;  // of the TPM's quote key; ECDSA P-256, DER
};

struct Message {
    Bytes payload;    // encoded claims
    Bytes signature;  // 17,088 bytes
    Quote quote;
};

// Each returns the part of `output` that was written.
core::Result<Bytes> encode_claims(const Claims& claims, MutableBytes output);
core::Result<Bytes> encode_signed_part(Bytes payload, std::string_view device, MutableBytes output);
core::Result<Bytes> encode_message(const Message& message, MutableBytes output);

// Views into `input`. An empty signature, or bare claims, is peer_unauthenticated.
core::Result<Message> decode_message(Bytes input);
// Views into `payload`; the measurements lie in `storage`, in the order of the encoding.
core::Result<Claims> decode_claims(Bytes payload, MeasurementStorage& storage);

std::string_view level_name(Level level);  // "self-reported", "boot-signed", "tpm-quoted"

}  // namespace quoin::evidence
