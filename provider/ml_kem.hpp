// The operations of ML-KEM with the build of core/crypto that was picked at load, and keys.
//
// A key (here and in x25519_ml_kem_768.hpp) is empty, public, or private, which includes public. It
// changes from empty once, so threads share it. Errors: false, and OpenSSL's queue says why.
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

// Returns work(workspace) with the workspace of the build that was picked at load.
template <class Set, class Work>
auto with_workspace(const ProviderContext& context, Work work) {
    return with_backend(context, [&]<class B>() {
        // NOLINTNEXTLINE(*-member-init): 18 KiB that every operation writes before it reads
        core::ml_kem::Workspace<Set, B> workspace;
        return work.template operator()<B>(workspace);
    });
}

template <class Set>
struct MlKem {
    using Public = std::span<const std::uint8_t, Set::encapsulation_key_size>;
    using Private = std::span<const std::uint8_t, Set::decapsulation_key_size>;
    using Seed = std::span<const std::uint8_t, core::ml_kem::seed_size>;
    using Ciphertext = std::span<const std::uint8_t, Set::ciphertext_size>;

    static void generate(const ProviderContext& context,
                         std::span<std::uint8_t, Set::encapsulation_key_size> public_key,
                         std::span<std::uint8_t, Set::decapsulation_key_size> private_key,
                         Seed seed) {
        with_workspace<Set>(context, [&]<class B>(core::ml_kem::Workspace<Set, B>& workspace) {
            core::ml_kem::generate<Set, B>(public_key, private_key, seed.template first<32>(),
                                           seed.template last<32>(), workspace);
        });
    }

    // FIPS 203, section 7.2: what came from outside.
    static bool check_public(const ProviderContext& context, Public key) {
        return with_backend(context, [&]<class B>() {
            return core::ml_kem::EncapsulationKey<Set>::template check<B>(key).has_value() ||
                   refuse(PROV_R_INVALID_KEY, "ML-KEM: this is no encapsulation key");
        });
    }

    // Section 7.3, and 7.2 for the encapsulation key in it.
    static bool check_private(const ProviderContext& context, Private key) {
        return with_backend(context,
                            [&]<class B>() {
                                return core::ml_kem::DecapsulationKey<Set>::template check<B>(key)
                                           .has_value() ||
                                       refuse(PROV_R_INVALID_KEY,
                                              "ML-KEM: the decapsulation key is damaged");
                            }) &&
               check_public(context, public_in(key));
    }

    static Public public_in(Private key) {
        return key.template subspan<384 * Set::k, Set::encapsulation_key_size>();
    }

    // A checked key.
    static void encapsulate(const ProviderContext& context, core::ml_kem::SharedSecret secret,
                            std::span<std::uint8_t, Set::ciphertext_size> ciphertext, Public key,
                            core::ml_kem::Random entropy) {
        with_workspace<Set>(context, [&]<class B>(core::ml_kem::Workspace<Set, B>& workspace) {
            core::ml_kem::encapsulate<Set, B>(
                secret, ciphertext, core::ml_kem::EncapsulationKey<Set>::danger_unchecked(key),
                entropy, workspace);
        });
    }

    // Of a pair that was just made; the message is no secret.
    static bool is_consistent(const ProviderContext& context, Public public_key,
                              Private private_key) {
        constexpr std::array<std::uint8_t, 32> message{0x51};
        std::array<std::uint8_t, Set::ciphertext_size> ciphertext{};
        std::array<std::uint8_t, core::ml_kem::shared_secret_size> sent{}, received{};
        encapsulate(context, sent, ciphertext, public_key, message);
        decapsulate(context, received, private_key, ciphertext);
        return std::ranges::equal(sent, received);
    }

    static void decapsulate(const ProviderContext& context, core::ml_kem::SharedSecret secret,
                            Private key, Ciphertext ciphertext) {
        with_workspace<Set>(context, [&]<class B>(core::ml_kem::Workspace<Set, B>& workspace) {
            core::ml_kem::decapsulate<Set, B>(
                secret, core::ml_kem::DecapsulationKey<Set>::danger_unchecked(key), ciphertext,
                workspace);
        });
    }
};

template <class Set>
class MlKemKey {
public:
    using Arithmetic = MlKem<Set>;
    using Public = Arithmetic::Public;
    using Private = Arithmetic::Private;
    using Seed = Arithmetic::Seed;
    static constexpr const Kem& row = ml_kem<Set>;

    explicit MlKemKey(const ProviderContext& context) : context_(context) {}

    const ProviderContext& context() const { return context_; }
    bool has_public() const { return has_public_; }
    bool has_private() const { return has_private_; }
    bool has_seed() const { return has_seed_; }
    Public public_key() const { return public_; }
    Private private_key() const { return private_.expose(); }
    Seed seed() const { return seed_.expose(); }

    void set_seed(Seed seed) {
        std::ranges::copy(seed, seed_.expose_to_fill().begin());
        Arithmetic::generate(context_, public_, private_.expose_to_fill(), seed);
        has_public_ = has_private_ = has_seed_ = true;
    }
    bool generate() {
        core::Secret<struct Drawn, core::ml_kem::seed_size> drawn;
        if (!draw_private(context_, drawn.expose_to_fill(), row.security_bits)) return false;
        set_seed(drawn.expose());
        return true;
    }
    bool set_public(Public key) {
        if (!Arithmetic::check_public(context_, key)) return false;
        std::ranges::copy(key, public_.begin());
        has_public_ = true;
        return true;
    }
    bool set_private(Private key) {
        if (!Arithmetic::check_private(context_, key)) return false;
        std::ranges::copy(Arithmetic::public_in(key), public_.begin());
        std::ranges::copy(key, private_.expose_to_fill().begin());
        has_public_ = has_private_ = true;
        return true;
    }
    bool is_consistent() const {
        return Arithmetic::is_consistent(context_, public_, private_key());
    }
    // Empty again: an import failed half-way.
    void clear() {
        core::ct::wipe(private_.expose_to_fill());
        core::ct::wipe(seed_.expose_to_fill());
        has_public_ = has_private_ = has_seed_ = false;
    }

    bool encapsulate(std::span<std::uint8_t, row.shared_secret_size> secret,
                     std::span<std::uint8_t, row.ciphertext_size> ciphertext,
                     core::ml_kem::Random entropy) const {
        Arithmetic::encapsulate(context_, secret, ciphertext, public_, entropy);
        return true;
    }
    bool decapsulate(std::span<std::uint8_t, row.shared_secret_size> secret,
                     std::span<const std::uint8_t, row.ciphertext_size> ciphertext) const {
        Arithmetic::decapsulate(context_, secret, private_key(), ciphertext);
        return true;
    }

private:
    const ProviderContext& context_;
    std::array<std::uint8_t, row.public_key_size> public_{};
    core::Secret<struct PrivateKeyTag, row.private_key_size> private_;
    core::Secret<struct SeedTag, row.seed_size> seed_;
    bool has_public_ = false;
    bool has_private_ = false;
    bool has_seed_ = false;
};

}  // namespace quoin::provider
