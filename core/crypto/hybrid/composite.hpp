// Composite signatures ML-DSA+Ed25519: both must verify.
// Source: draft-ietf-lamps-pq-composite-sigs-19 (the construction is that of -13 and later).
//
//                                   public key | signature | workspace (ml_dsa::VerifyWorkspace)
//   id-MLDSA44-Ed25519-SHA512             1344 |      2484 | of Set44
//   id-MLDSA65-Ed25519-SHA512             1984 |      3373 | of Set65
//
// M' = "CompositeAlgorithmSignatures2025" | Label | len(ctx) | ctx | SHA-512(message): ML-DSA signs
// M' with the label as its context, Ed25519 signs M'. Keys and signatures are concatenated, ML-DSA
// first. TLS and X.509 use an empty context.
//
// Errors: integrity_signature (which half, is not said); peer_malformed: the Ed25519 half of the
// key is no public key, whatever the signatures are. Both halves are always evaluated.
// Existentially unforgeable only: signature bytes are no identifier (I12). Stack: under 8 KiB
// beside the workspace. For public values: not constant time. Threads: one workspace for each call
// at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"
#include "core/crypto/backend.hpp"
#include "core/crypto/curve25519/ed25519.hpp"
#include "core/crypto/ml_dsa/ml_dsa.hpp"

namespace quoin::core::hybrid {

struct MlDsa44Ed25519 {
    using Set = ml_dsa::Set44;
    static constexpr std::string_view label = "COMPSIG-MLDSA44-Ed25519-SHA512";
    static constexpr std::size_t public_key_size = 1344;
    static constexpr std::size_t signature_size = 2484;
};
struct MlDsa65Ed25519 {
    using Set = ml_dsa::Set65;
    static constexpr std::string_view label = "COMPSIG-MLDSA65-Ed25519-SHA512";
    static constexpr std::size_t public_key_size = 1984;
    static constexpr std::size_t signature_size = 3373;
};

template <class Composite>
using CompositePublicKey = std::span<const std::uint8_t, Composite::public_key_size>;
template <class Composite>
using CompositeSignature = std::span<const std::uint8_t, Composite::signature_size>;

template <class Composite, class Backend = Portable>
Result<void> verify(CompositePublicKey<Composite> public_key, Bytes message,
                    const ml_dsa::Context& context, CompositeSignature<Composite> signature,
                    ml_dsa::VerifyWorkspace<typename Composite::Set, Backend>& workspace);

}  // namespace quoin::core::hybrid
