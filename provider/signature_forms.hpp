// What differs between ML-DSA and the composites, for the files that serve both: what is signed,
// sizes, and the calls into core/crypto. A form is a type; its row is in algorithms.hpp.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "core/base/bytes.hpp"
#include "core/crypto/hybrid/composite_loaded.hpp"
#include "core/crypto/ml_dsa/loaded.hpp"
#include "provider/algorithms.hpp"

namespace quoin::provider {

template <class Form>
using PublicKeyBytes = std::span<const std::uint8_t, Form::public_key_size>;
template <class Form>
using SignatureBytes = std::span<const std::uint8_t, Form::signature_size>;

// NOLINTBEGIN(cppcoreguidelines-pro-type-member-init): workspaces, written before they are read
template <class Set_>
struct MlDsa {
    using Set = Set_;
    using Input = core::ml_dsa::Mu;
    static constexpr const SignatureRow& row = ml_dsa_row<Set>;
    static constexpr std::size_t seed_size = 32;
    static constexpr std::size_t private_size = Set::private_key_size;
    static constexpr std::size_t public_key_size = Set::public_key_size;
    static constexpr std::size_t signature_size = Set::signature_size;
    static constexpr bool is_expanded = true;  // the private key is more than the seed

    template <class Backend>
    struct Build {
        using PrivateKey = core::ml_dsa::LoadedPrivateKey<Set, Backend>;
        using PublicKey = core::ml_dsa::LoadedPublicKey<Set, Backend>;

        static core::Result<void> expand(PrivateKey& key, std::span<const std::uint8_t, 32> seed,
                                         std::span<std::uint8_t, public_key_size> public_key,
                                         std::span<std::uint8_t, private_size> expanded) {
            core::ml_dsa::Seed xi;
            std::ranges::copy(seed, xi.expose_to_fill().begin());
            core::ml_dsa::KeygenWorkspace<Set, Backend> workspace;
            core::ml_dsa::keygen<Set, Backend>(xi, public_key, expanded, workspace);
            return key.load(expanded);
        }
        static core::Result<void> sign(const PrivateKey& key, const Input& mu,
                                       core::ml_dsa::Randomness randomness,
                                       std::span<std::uint8_t, signature_size> out) {
            core::ml_dsa::SignScratch<Set, Backend> scratch;
            return key.sign_mu(mu, randomness, out, scratch);
        }
        static core::Result<void> verify(const PublicKey& key, const Input& mu,
                                         std::span<const std::uint8_t, signature_size> signature) {
            core::ml_dsa::VerifyScratch<Set> scratch;
            return key.verify_mu(mu, signature, scratch);
        }
        static core::Result<void> verify_once(
            std::span<const std::uint8_t, public_key_size> key, const Input& mu,
            std::span<const std::uint8_t, signature_size> signature) {
            core::ml_dsa::VerifyWorkspace<Set, Backend> workspace;
            return core::ml_dsa::verify_mu<Set, Backend>(key, mu, signature, workspace);
        }
    };
};

template <class Algorithm_>
struct Composite {
    using Algorithm = Algorithm_;
    using Set = Algorithm::Set;
    struct Input {
        Bytes message;
        core::ml_dsa::Context context;
    };
    static constexpr const SignatureRow& row = composite_row<Algorithm>;
    static constexpr std::size_t seed_size = core::hybrid::composite_private_key_size;
    static constexpr std::size_t private_size = seed_size;
    static constexpr std::size_t public_key_size = Algorithm::public_key_size;
    static constexpr std::size_t signature_size = Algorithm::signature_size;
    static constexpr bool is_expanded = false;

    template <class Backend>
    struct Build {
        using PrivateKey = core::hybrid::CompositePrivateKey<Algorithm, Backend>;
        using PublicKey = core::hybrid::CompositeLoadedPublicKey<Algorithm, Backend>;

        static core::Result<void> expand(PrivateKey& key,
                                         std::span<const std::uint8_t, seed_size> seed,
                                         std::span<std::uint8_t, public_key_size> public_key,
                                         std::span<std::uint8_t, 0>) {
            core::hybrid::CompositeLoadWorkspace<Algorithm, Backend> workspace;
            QUOIN_CHECK(key.load(seed, workspace));
            std::ranges::copy(key.public_key(), public_key.begin());
            return {};
        }
        static core::Result<void> sign(const PrivateKey& key, const Input& input,
                                       core::ml_dsa::Randomness randomness,
                                       std::span<std::uint8_t, signature_size> out) {
            core::ml_dsa::SignScratch<Set, Backend> scratch;
            return key.sign(input.message, input.context, randomness, out, scratch);
        }
        static core::Result<void> verify(const PublicKey& key, const Input& input,
                                         std::span<const std::uint8_t, signature_size> signature) {
            core::ml_dsa::VerifyScratch<Set> scratch;
            return key.verify(input.message, input.context, signature, scratch);
        }
        static core::Result<void> verify_once(
            std::span<const std::uint8_t, public_key_size> key, const Input& input,
            std::span<const std::uint8_t, signature_size> signature) {
            core::ml_dsa::VerifyWorkspace<Set, Backend> workspace;
            return core::hybrid::verify<Algorithm, Backend>(key, input.message, input.context,
                                                            signature, workspace);
        }
    };
};
// NOLINTEND(cppcoreguidelines-pro-type-member-init)

}  // namespace quoin::provider
