// ML-DSA-44, -65 and -87 signatures: NIST FIPS 204 (August 2024), pure (no pre-hash).
//
//   ml_dsa::verify<ml_dsa::Set65>(public_key, message, context, signature, workspace);
//
// | set   | public key | private key | signature | seed |  bytes
// | Set44 | 1312       | 2560        | 2420      | 32   |
// | Set65 | 1952       | 4032        | 3309      | 32   |
// | Set87 | 2592       | 4896        | 4627      | 32   |
//
// clang-format off
// | workspace, bytes: | Portable 44, 65, 87    | Avx2 44, 65, 87         | Avx512 44, 65, 87      |
// | keygen            | 10,272  13,344  17,440 | 14,336  33,792  46,080  | 18,432  44,032  74,752 |
// | sign              | 44,128  68,192 107,616 | 44,128  71,264  110,688 | as Avx2                |
// | sign_low_memory   |  4,864   6,400   7,936 |                         |                        |
// | verify            |  7,200   8,224  10,272 | 11,264  28,672  38,912  | 15,360  38,912  67,584 |
// | verify_low_memory |  3,072   3,072   3,072 |                         |                        |
// clang-format on
// Stack beside it (g++ 14 -O2): on a Cortex-M4 1.1 KiB keygen, 1.6 sign, 1.8 verify, 1.0 and 1.6
// with low memory; on x86-64 up to 8.1 KiB with Avx2, 11.9 KiB with Avx512. loaded.hpp: keys that
// are used often.
//
// Private keys are the expanded form of Algorithm 24; who keeps the seed calls keygen again.
// Randomness is the caller's: 32 fresh bytes for each hedged signature, `deterministic` for none.
//
// Errors: integrity_signature for any signature that is not valid, malformed ones included;
// peer_malformed for a private key with coefficients out of range; internal if 814 attempts to sign
// were refused (probability below 2^-256: a broken random source or processor).
// Sizes are types, so nothing else can be wrong.
//
// Constant time in ξ, the private key and rnd, except for what FIPS 204 makes public by design: the
// number of attempts, which polynomial a refused attempt failed at, and its challenge hash.
// Verification handles public values only, and ends early. Threads: no shared state; one workspace
// for each call at a time. Secret parts of a workspace are wiped on every exit.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"
#include "core/base/secret.hpp"
#include "core/crypto/backend.hpp"
#include "core/crypto/ml_dsa/message.hpp"
#include "core/crypto/ml_dsa/set.hpp"
#include "core/crypto/ml_dsa/workspace.hpp"

namespace quoin::core::ml_dsa {

struct SeedTag;
using Seed = Secret<SeedTag, 32>;  // ξ

template <class Set>
using PublicKey = std::span<const std::uint8_t, Set::public_key_size>;
template <class Set>
using PrivateKey = std::span<const std::uint8_t, Set::private_key_size>;
template <class Set>
using Signature = std::span<const std::uint8_t, Set::signature_size>;

using Randomness = std::span<const std::uint8_t, 32>;  // rnd
inline constexpr std::array<std::uint8_t, 32> deterministic{};

// FIPS 204, Algorithm 6 (ML-DSA.KeyGen_internal).
template <class Set, class Backend = Portable>
void keygen(const Seed& xi, std::span<std::uint8_t, Set::public_key_size> public_key,
            std::span<std::uint8_t, Set::private_key_size> private_key,
            KeygenWorkspace<Set, Backend>& workspace);

// FIPS 204, Algorithm 2 (ML-DSA.Sign).
template <class Set, class Backend = Portable>
Result<void> sign(PrivateKey<Set> private_key, Bytes message, const Context& context,
                  Randomness randomness, std::span<std::uint8_t, Set::signature_size> signature,
                  SignWorkspace<Set, Backend>& workspace);

// FIPS 204, Algorithm 7 from line 6 comment on: the caller has made μ (message.hpp).
template <class Set, class Backend = Portable>
Result<void> sign_mu(PrivateKey<Set> private_key, const Mu& mu, Randomness randomness,
                     std::span<std::uint8_t, Set::signature_size> signature,
                     SignWorkspace<Set, Backend>& workspace);

// The same signature as sign_mu, in a tenth of the memory and about twice the instructions: A, s1,
// s2, t0 and y are made again for each attempt, w is packed. For microcontrollers.
template <class Set>
Result<void> sign_mu_low_memory(PrivateKey<Set> private_key, const Mu& mu, Randomness randomness,
                                std::span<std::uint8_t, Set::signature_size> signature,
                                LowMemorySignWorkspace<Set>& workspace);

// FIPS 204, Algorithm 3 (ML-DSA.Verify).
template <class Set, class Backend = Portable>
Result<void> verify(PublicKey<Set> public_key, Bytes message, const Context& context,
                    Signature<Set> signature, VerifyWorkspace<Set, Backend>& workspace);

template <class Set, class Backend = Portable>
Result<void> verify_mu(PublicKey<Set> public_key, const Mu& mu, Signature<Set> signature,
                       VerifyWorkspace<Set, Backend>& workspace);

// The same answer with z transformed again for each row. For microcontrollers.
template <class Set>
Result<void> verify_mu_low_memory(PublicKey<Set> public_key, const Mu& mu, Signature<Set> signature,
                                  LowMemoryVerifyWorkspace& workspace);

}  // namespace quoin::core::ml_dsa
