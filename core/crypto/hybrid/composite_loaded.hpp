// Composite keys that are used: the private one, which generates and signs, and a public one that
// verifies many signatures. Sizes, construction and errors of verification: composite.hpp.
//
//   private key 64 = ML-DSA seed 32 | Ed25519 seed 32 (draft-ietf-lamps-pq-composite-sigs-19, 4)
//
//   generate:  64 fresh random bytes, key.load(them, workspace), key.public_key()
//   sign:      key.sign(message, context, randomness, signature, scratch)
//
// | bytes                    | 44     | 65     |
// | CompositePrivateKey      | 30,272 | 50,368 |
// | CompositeLoadWorkspace   | 12,832 | 17,376 | (Portable; Avx2 16,896 and 37,824; Avx512 more)
// | CompositeLoadedPublicKey | 20,608 | 36,992 |
// Scratch is ml_dsa::SignScratch and VerifyScratch of the set. Stack: under 8 KiB beside them.
//
// Errors of sign: state_wrong before load(); internal if ML-DSA gave up (below 2^-256). Both halves
// are always made; a failure leaves zeros in `signature`, never one half.
// Randomness: 32 fresh bytes make ML-DSA's half hedged, ml_dsa::deterministic makes it none;
// Ed25519's half is deterministic (RFC 8032).
//
// Constant time in the private key and the randomness, but for what FIPS 204 makes public
// (ml_dsa.hpp). Not copyable; do not move their memory. A loaded key is only read: any number of
// threads may use one, each with its own scratch. A private key wipes itself when destroyed;
// load() wipes the secrets in its workspace.
#pragma once

#include <optional>

#include "core/crypto/hybrid/composite.hpp"
#include "core/crypto/ml_dsa/loaded.hpp"

namespace quoin::core::hybrid {

inline constexpr std::size_t composite_private_key_size = 64;

template <class Composite, class Backend = Portable>
struct CompositeLoadWorkspace {
    ml_dsa::KeygenWorkspace<typename Composite::Set, Backend> keygen;
    std::array<std::uint8_t, Composite::Set::private_key_size> expanded;
};

template <class Composite, class Backend = Portable>
class CompositePrivateKey {
public:
    using Set = Composite::Set;

    CompositePrivateKey() = default;
    CompositePrivateKey(const CompositePrivateKey&) = delete;
    CompositePrivateKey& operator=(const CompositePrivateKey&) = delete;
    ~CompositePrivateKey() = default;  // both halves wipe themselves

    // Any 64 bytes are a private key. Fails with internal only if ML-DSA refuses the key it made.
    Result<void> load(std::span<const std::uint8_t, composite_private_key_size> private_key,
                      CompositeLoadWorkspace<Composite, Backend>& workspace);
    // Zeros before load().
    CompositePublicKey<Composite> public_key() const { return public_key_; }
    Result<void> sign(Bytes message, const ml_dsa::Context& context, ml_dsa::Randomness randomness,
                      std::span<std::uint8_t, Composite::signature_size> signature,
                      ml_dsa::SignScratch<Set, Backend>& scratch) const;

private:
    ml_dsa::LoadedPrivateKey<Set, Backend> lattice_;
    std::optional<ed25519::PrivateKey<>> curve_;
    std::array<std::uint8_t, Composite::public_key_size> public_key_{};
};

template <class Composite, class Backend = Portable>
class CompositeLoadedPublicKey {
public:
    CompositeLoadedPublicKey() = default;
    CompositeLoadedPublicKey(const CompositeLoadedPublicKey&) = delete;
    CompositeLoadedPublicKey& operator=(const CompositeLoadedPublicKey&) = delete;
    ~CompositeLoadedPublicKey() = default;

    void load(CompositePublicKey<Composite> public_key);
    // As hybrid::verify. Before load() it refuses everything.
    Result<void> verify(Bytes message, const ml_dsa::Context& context,
                        CompositeSignature<Composite> signature,
                        ml_dsa::VerifyScratch<typename Composite::Set>& scratch) const;

private:
    ml_dsa::LoadedPublicKey<typename Composite::Set, Backend> lattice_;
    std::array<std::uint8_t, ed25519::public_key_size> curve_{};
};

}  // namespace quoin::core::hybrid
