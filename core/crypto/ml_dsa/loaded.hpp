// Keys that are used many times: decoded, transformed and with A expanded once: a quarter of a
// signature and three quarters of a verification.
//
// | bytes            | 44     | 65     | 87     |
// | LoadedPrivateKey | 28,800 | 48,256 | 81,024 |
// | SignScratch      | 15,360 | 19,968 | 26,624 | (vectors: 15,360, 23,040, 29,696)
// | LoadedPublicKey  | 20,576 | 36,960 | 65,632 |
// | VerifyScratch    | 7,168  | 8,192  | 10,240 |
//
// Not copyable. A loaded key is only read: any number of threads may use one, each with its own
// scratch. A private one wipes itself when destroyed; do not move its memory. Before load(), and
// after one that failed, every operation fails: state_wrong.
#pragma once

#include "core/base/constant_time.hpp"
#include "core/crypto/ml_dsa/ml_dsa.hpp"

namespace quoin::core::ml_dsa {

template <class Set, class Backend = Portable>
class LoadedPrivateKey {
public:
    LoadedPrivateKey() = default;
    LoadedPrivateKey(const LoadedPrivateKey&) = delete;
    LoadedPrivateKey& operator=(const LoadedPrivateKey&) = delete;
    ~LoadedPrivateKey() { ct::wipe_object(key_.secrets); }

    // peer_malformed if a coefficient is out of range: then there is no key in it.
    Result<void> load(PrivateKey<Set> private_key);
    Result<void> sign(Bytes message, const Context& context, Randomness randomness,
                      std::span<std::uint8_t, Set::signature_size> signature,
                      SignScratch<Set, Backend>& scratch) const;
    Result<void> sign_mu(const Mu& mu, Randomness randomness,
                         std::span<std::uint8_t, Set::signature_size> signature,
                         SignScratch<Set, Backend>& scratch) const;

private:
    SigningKey<Set, Backend> key_{};
    bool loaded_ = false;
};

template <class Set, class Backend = Portable>
class LoadedPublicKey {
public:
    LoadedPublicKey() = default;
    LoadedPublicKey(const LoadedPublicKey&) = delete;
    LoadedPublicKey& operator=(const LoadedPublicKey&) = delete;
    ~LoadedPublicKey() = default;

    // Every string of this length is a public key.
    void load(PublicKey<Set> public_key);
    Result<void> verify(Bytes message, const Context& context, Signature<Set> signature,
                        VerifyScratch<Set>& scratch) const;
    Result<void> verify_mu(const Mu& mu, Signature<Set> signature,
                           VerifyScratch<Set>& scratch) const;

private:
    std::array<Poly, Set::k * Set::l> matrix_{};
    std::array<Poly, Set::k> t1_{};  // t1 2^d, transformed
    PublicKeyHash hash_{};
    bool loaded_ = false;
};

}  // namespace quoin::core::ml_dsa
