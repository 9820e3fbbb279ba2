// Falcon key generation: specification v1.2, section 3.8.
//
// | KeygenWorkspace, bytes | 512    | 1024    |
// |                        | 58,176 | 117,472 |
//
// The key is a function of the seed: the same on every backend. Portable and Integer as in
// signing.hpp.
//
// Constant time, except for which candidates are refused, and why: they are independent of the key.
#pragma once

#include "core/base/secret.hpp"
#include "core/crypto/falcon/falcon.hpp"
#include "core/crypto/falcon/ntru_solver.hpp"
#include "core/crypto/falcon/prng.hpp"
#include "core/crypto/falcon/real.hpp"

namespace quoin::core::falcon {

struct SeedTag;
using Seed = Secret<SeedTag, 48>;

template <class Set, class Backend = Portable>
struct KeygenWorkspace {
    SolverWorkspace<Set, RealOf<Backend>> solver;
    Basis<Set> basis;
    Poly<Set> a, b;
    PrngState prng;
};

// Algorithm 4 (Keygen) without the tree, which LoadedPrivateKey makes. internal if no candidate of
// 65,536 became a key (a broken processor).
template <class Set, class Backend = Portable>
Result<void> keygen(const Seed& seed, std::span<std::uint8_t, Set::public_key_size> public_key,
                    std::span<std::uint8_t, Set::private_key_size> private_key,
                    KeygenWorkspace<Set, Backend>& workspace);

}  // namespace quoin::core::falcon
