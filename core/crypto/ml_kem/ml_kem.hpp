// ML-KEM-512, -768, -1024: FIPS 203.
//
//   ml_kem::Workspace<Set768> workspace;
//   ml_kem::generate<Set768>(ek, dk, d, z, workspace);                     // d, z: 32 random bytes
//   QUOIN_TRY(auto peer, ml_kem::EncapsulationKey<Set768>::check(ek));     // what came over a wire
//   ml_kem::encapsulate<Set768>(shared, ciphertext, peer, m, workspace);   // m: 32 random bytes
//   QUOIN_TRY(auto own, ml_kem::DecapsulationKey<Set768>::check(dk));      // what came from a disk
//   ml_kem::decapsulate<Set768>(shared, own, ciphertext, workspace);
//
// | bytes       | encapsulation key | decapsulation key | seed | ciphertext | shared secret |
// | ML-KEM-512  |  800              | 1632              | 64   |  768       | 32            |
// | ML-KEM-768  | 1184              | 2400              | 64   | 1088       | 32            |
// | ML-KEM-1024 | 1568              | 3168              | 64   | 1568       | 32            |
//
// | bytes       | Workspace, Portable | Workspace, Avx2 and Avx512 |
// | ML-KEM-512  | 3584                |  8928                      |
// | ML-KEM-768  | 4352                | 13024                      |
// | ML-KEM-1024 | 5120                | 18144                      |
// and stack (g++ 14 -O2) of 1.6 KiB on a Cortex-M4, 1.9 KiB on x86-64 (Avx2, Avx512: 6 KiB). The
// workspace is the caller's, may be used again, and is wiped before an operation returns.
//
// Failures: only check() fails (FIPS 203, sections 7.2 and 7.3), with peer_malformed for a key that
// is no encapsulation key and integrity_mismatch for a decapsulation key that is damaged. Lengths
// are types. A wrong ciphertext is no failure: decapsulate gives a secret that nobody else has
// (implicit rejection), and takes as long.
//
// Constant time in d, z, m, the decapsulation key, and what follows from them; the matrix, which
// follows from the public key, is sampled in variable time. Threads: no shared state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"
#include "core/crypto/backend.hpp"

namespace quoin::core::ml_kem {

// FIPS 203, table 2 and 3.
template <std::size_t K, std::size_t Eta1, std::size_t Du, std::size_t Dv>
struct Parameters {
    static constexpr std::size_t k = K;
    static constexpr std::size_t eta1 = Eta1;
    static constexpr std::size_t eta2 = 2;
    static constexpr std::size_t du = Du;
    static constexpr std::size_t dv = Dv;
    static constexpr std::size_t encapsulation_key_size = 384 * K + 32;
    static constexpr std::size_t decapsulation_key_size = 768 * K + 96;
    static constexpr std::size_t ciphertext_size = 32 * (Du * K + Dv);
};

struct Set512 : Parameters<2, 3, 10, 4> {};
struct Set768 : Parameters<3, 2, 10, 4> {};
struct Set1024 : Parameters<4, 2, 11, 5> {};

inline constexpr std::size_t shared_secret_size = 32;
inline constexpr std::size_t seed_size = 64;  // d || z

// An encapsulation key that passed the modulus check. A view: the caller keeps the bytes, and does
// not change them.
template <class Set>
class EncapsulationKey {
public:
    using Encoded = std::span<const std::uint8_t, Set::encapsulation_key_size>;

    // FIPS 203, section 7.2. Once for a key.
    template <class Backend = Portable>
    static Result<EncapsulationKey> check(Encoded bytes);
    // For a key that generate() just made.
    static EncapsulationKey danger_unchecked(Encoded bytes) { return EncapsulationKey(bytes); }

    Encoded bytes() const { return bytes_; }

private:
    explicit EncapsulationKey(Encoded bytes) : bytes_(bytes) {}

    Encoded bytes_;
};

// A decapsulation key that passed the hash check. A view, too, of secret bytes.
template <class Set>
class DecapsulationKey {
public:
    using Encoded = std::span<const std::uint8_t, Set::decapsulation_key_size>;

    // FIPS 203, section 7.3. Once for a key.
    template <class Backend = Portable>
    static Result<DecapsulationKey> check(Encoded bytes);
    // For a key that generate() just made.
    static DecapsulationKey danger_unchecked(Encoded bytes) { return DecapsulationKey(bytes); }

    Encoded bytes() const { return bytes_; }

private:
    explicit DecapsulationKey(Encoded bytes) : bytes_(bytes) {}

    Encoded bytes_;
};

// What an operation works in. Its members are in workspace.hpp.
template <class Set, class Backend = Portable>
struct Workspace;

using Random = std::span<const std::uint8_t, 32>;
using SharedSecret = std::span<std::uint8_t, shared_secret_size>;

// FIPS 203, algorithm 16 (ML-KEM.KeyGen_internal): d and z are random, or the two halves of a seed.
template <class Set, class Backend = Portable>
void generate(std::span<std::uint8_t, Set::encapsulation_key_size> encapsulation_key,
              std::span<std::uint8_t, Set::decapsulation_key_size> decapsulation_key, Random d,
              Random z, Workspace<Set, Backend>& workspace);

// Algorithm 17 (ML-KEM.Encaps_internal): m is random, used once and secret.
template <class Set, class Backend = Portable>
void encapsulate(SharedSecret shared_secret,
                 std::span<std::uint8_t, Set::ciphertext_size> ciphertext,
                 EncapsulationKey<Set> key, Random m, Workspace<Set, Backend>& workspace);

// Algorithm 18 (ML-KEM.Decaps_internal).
template <class Set, class Backend = Portable>
void decapsulate(SharedSecret shared_secret, DecapsulationKey<Set> key,
                 std::span<const std::uint8_t, Set::ciphertext_size> ciphertext,
                 Workspace<Set, Backend>& workspace);

}  // namespace quoin::core::ml_kem

#include "core/crypto/ml_kem/workspace.hpp"
