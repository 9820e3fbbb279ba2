// A key of ML-KEM inside the provider, and the operations on it with the build of core/crypto that
// was picked at load. A key is empty, public, or private (which includes public).
//
// Errors: false, and OpenSSL's queue says why. Threads: a key is constant once it is not empty.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "core/base/constant_time.hpp"
#include "core/base/secret.hpp"
#include "core/crypto/ml_kem/ml_kem.hpp"
#include "provider/algorithms.hpp"
#include "provider/context.hpp"
#include "provider/dispatch.hpp"

namespace quoin::provider {

template <class Set>
class MlKemKey {
public:
    using Seed = std::span<const std::uint8_t, core::ml_kem::seed_size>;
    using Public = std::span<const std::uint8_t, Set::encapsulation_key_size>;
    using Private = std::span<const std::uint8_t, Set::decapsulation_key_size>;
    using Ciphertext = std::span<const std::uint8_t, Set::ciphertext_size>;

    explicit MlKemKey(const ProviderContext& context) : context_(context) {}

    const ProviderContext& context() const { return context_; }
    bool has_public() const { return has_public_; }
    bool has_private() const { return has_private_; }
    bool has_seed() const { return has_seed_; }
    // Of what the key has.
    Public public_key() const { return public_; }
    Private private_key() const { return private_.expose(); }
    Seed seed() const { return seed_.expose(); }

    // An empty key becomes a private one.
    void set_seed(Seed seed) {
        std::ranges::copy(seed, seed_.expose_to_fill().begin());
        with_backend(context_, [&]<class B>() {
            core::ml_kem::Workspace<Set, B> workspace;
            core::ml_kem::generate<Set, B>(public_, private_.expose_to_fill(),
                                           seed.template first<32>(), seed.template last<32>(),
                                           workspace);
        });
        has_public_ = has_private_ = has_seed_ = true;
    }
    bool generate() {
        core::Secret<struct Drawn, core::ml_kem::seed_size> drawn;
        if (!draw_private(context_, drawn.expose_to_fill(), kem_of<Set>.security_bits)) {
            return false;
        }
        set_seed(drawn.expose());
        return true;
    }
    // What came from outside is checked: FIPS 203, section 7.2.
    bool set_public(Public bytes) {
        const bool sound = with_backend(context_, [&]<class B>() {
            return core::ml_kem::EncapsulationKey<Set>::template check<B>(bytes).has_value();
        });
        if (!sound) return refuse(PROV_R_INVALID_KEY, "ML-KEM: no encapsulation key");
        std::ranges::copy(bytes, public_.begin());
        has_public_ = true;
        return true;
    }
    // Section 7.3; the encapsulation key in it must be one, too.
    bool set_private(Private bytes) {
        const bool sound = with_backend(context_, [&]<class B>() {
            return core::ml_kem::DecapsulationKey<Set>::template check<B>(bytes).has_value();
        });
        if (!sound) {
            return refuse(PROV_R_INVALID_KEY, "ML-KEM: the decapsulation key is damaged");
        }
        if (!set_public(bytes.template subspan<384 * Set::k, Set::encapsulation_key_size>())) {
            return false;
        }
        std::ranges::copy(bytes, private_.expose_to_fill().begin());
        has_private_ = true;
        return true;
    }
    void clear() {
        core::ct::wipe(private_.expose_to_fill());
        core::ct::wipe(seed_.expose_to_fill());
        has_public_ = has_private_ = has_seed_ = false;
    }

    // Needs a public key.
    void encapsulate(core::ml_kem::SharedSecret shared,
                     std::span<std::uint8_t, Set::ciphertext_size> ciphertext,
                     core::ml_kem::Random entropy) const {
        with_backend(context_, [&]<class B>() {
            core::ml_kem::Workspace<Set, B> workspace;
            core::ml_kem::encapsulate<Set, B>(
                shared, ciphertext, core::ml_kem::EncapsulationKey<Set>::danger_unchecked(public_),
                entropy, workspace);
        });
    }
    // Needs a private key.
    void decapsulate(core::ml_kem::SharedSecret shared, Ciphertext ciphertext) const {
        with_backend(context_, [&]<class B>() {
            core::ml_kem::Workspace<Set, B> workspace;
            core::ml_kem::decapsulate<Set, B>(
                shared, core::ml_kem::DecapsulationKey<Set>::danger_unchecked(private_key()),
                ciphertext, workspace);
        });
    }
    // The pairwise consistency test: does what the public half wraps come out of the private one?
    bool is_consistent() const {
        core::Secret<struct Entropy, 32> entropy;
        core::Secret<struct Wrapped, core::ml_kem::shared_secret_size> wrapped;
        core::Secret<struct Unwrapped, core::ml_kem::shared_secret_size> unwrapped;
        std::array<std::uint8_t, Set::ciphertext_size> ciphertext{};
        if (!draw_private(context_, entropy.expose_to_fill(), kem_of<Set>.security_bits)) {
            return false;
        }
        encapsulate(wrapped.expose_to_fill(), ciphertext, entropy.expose());
        decapsulate(unwrapped.expose_to_fill(), ciphertext);
        return core::ct::equal(wrapped.expose(), unwrapped.expose());
    }

private:
    const ProviderContext& context_;
    std::array<std::uint8_t, Set::encapsulation_key_size> public_{};
    core::Secret<struct DecapsulationKeyTag, Set::decapsulation_key_size> private_;
    core::Secret<struct SeedTag, core::ml_kem::seed_size> seed_;
    bool has_public_ = false;
    bool has_private_ = false;
    bool has_seed_ = false;
};

}  // namespace quoin::provider
