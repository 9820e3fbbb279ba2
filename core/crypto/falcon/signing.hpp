// Falcon signatures: specification v1.2, section 3.9. Sizes and formats: falcon.hpp.
//
//   falcon::sign<falcon::Set512>(private_key, message, randomness, Format::padded, signature,
//   workspace);
//
// | bytes            | 512    | 1024    |
// | SignWorkspace    | 33,344 | 66,112  |
// | SignScratch      | 19,008 | 37,440  |
// | LoadedPrivateKey | 57,408 | 122,944 |
//
// Backends: Portable (binary64 by the processor), Integer (by integer instructions, real.hpp),
// Avx2. All make the same signature from the same randomness.
//
// Randomness is the caller's: 48 fresh bytes for each signature. The salt and the sampler's key
// are hashed from it, the private key and the message, so that randomness that repeats or is known
// gives repeated signatures, not the key.
//
// Errors: peer_malformed for a private key that is none; internal if no attempt succeeded (a broken
// processor, or a private key whose parts do not belong together).
//
// Constant time in the private key and the randomness, except for what the specification makes
// public by design: the number of attempts, and the candidates that the sampler refuses
// (sampler.hpp). Threads: no shared state; one workspace for each call at a time. Workspaces are
// wiped on every exit.
#pragma once

#include "core/base/result.hpp"
#include "core/crypto/falcon/falcon.hpp"
#include "core/crypto/falcon/private_key.hpp"
#include "core/crypto/falcon/prng.hpp"
#include "core/crypto/falcon/real.hpp"
#include "core/crypto/falcon/tree.hpp"

namespace quoin::core::falcon {

template <class Set>
using PrivateKey = std::span<const std::uint8_t, Set::private_key_size>;
template <class Set>
using SignatureBuffer = std::span<std::uint8_t, Set::padded_signature_size>;

inline constexpr std::size_t randomness_size = 48;
using Randomness = std::span<const std::uint8_t, randomness_size>;

// Compressed signatures have a length of their own; one that would be longer than the padded length
// is signed again as padded.
enum class Format : std::uint8_t { compressed, padded };

// What an attempt to sign needs whatever the form of the key: c, s2 and the random bytes.
template <class Set>
struct Attempt {
    Poly<Set> c;
    Poly<Set> s2;
    PrngState prng;
};

// Polynomials of n reals.
template <class Set, class Backend, std::size_t Count>
struct Reals {
    alignas(32) std::array<std::array<RealOf<Backend>, Set::n>, Count> poly;
};

template <class Set, class Backend>
struct SignWorkspace {
    Reals<Set, Backend, 7> reals;
    Basis<Set> basis;
    Attempt<Set> attempt;
};

// With a LoadedPrivateKey.
template <class Set, class Backend>
struct SignScratch {
    Reals<Set, Backend, 4> reals;
    Attempt<Set> attempt;
};

// Specification, Algorithm 10 (Sign): the length of the signature, which is at the start of
// `signature`. The rest is zeros.
template <class Set, class Backend = Portable>
Result<std::size_t> sign(PrivateKey<Set> private_key, Bytes message, Randomness randomness,
                         Format format, SignatureBuffer<Set> signature,
                         SignWorkspace<Set, Backend>& workspace);

// The public key of a private key.
template <class Set, class Backend = Portable>
Result<void> public_key_of(PrivateKey<Set> private_key,
                           std::span<std::uint8_t, Set::public_key_size> public_key,
                           SignWorkspace<Set, Backend>& workspace);

// The expanded signing key: the basis transformed, and the Falcon tree (Algorithm 4, lines 2 to 8).
// The same signatures as sign() with the same randomness. Not copyable, wiped when destroyed; do
// not move its memory. Threads and states as LoadedPublicKey.
template <class Set, class Backend = Portable>
class LoadedPrivateKey {
public:
    LoadedPrivateKey() = default;
    LoadedPrivateKey(const LoadedPrivateKey&) = delete;
    LoadedPrivateKey& operator=(const LoadedPrivateKey&) = delete;
    ~LoadedPrivateKey() { ct::wipe_object(key_); }

    Result<void> load(PrivateKey<Set> private_key, SignWorkspace<Set, Backend>& workspace);
    Result<std::size_t> sign(Bytes message, Randomness randomness, Format format,
                             SignatureBuffer<Set> signature,
                             SignScratch<Set, Backend>& scratch) const;

private:
    struct Key {
        Reals<Set, Backend, 4> basis;  // f, F, g, G, transformed
        alignas(32) std::array<RealOf<Backend>, tree_size(Set::n)> tree;
        std::array<std::uint8_t, 32> hash;
    };
    Key key_;
    bool loaded_ = false;
};

}  // namespace quoin::core::falcon
