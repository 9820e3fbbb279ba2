// A key of ML-DSA or of a composite inside the provider: empty, public, or private (which includes
// public, and may be a reference to a private half in a store), with what makes its operations fast
// at hand.
//
// A private key signs with its loaded form, made once. A public key is loaded when it verifies for
// the second time: the key of a TLS peer does once, that of a CA often.
// Errors: false, and OpenSSL's queue says why. Threads: a key is constant once it is not empty, but
// for the loaded public form, which appears whole.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <new>

#include "core/base/constant_time.hpp"
#include "core/base/secret.hpp"
#include "provider/context.hpp"
#include "provider/dispatch.hpp"
#include "provider/key_reference.hpp"
#include "provider/signature_forms.hpp"

namespace quoin::provider {

// The half of a key that signs, held here.
template <class Form>
class Signer {
public:
    Signer() = default;
    Signer(const Signer&) = delete;
    Signer& operator=(const Signer&) = delete;
    virtual ~Signer() = default;
    virtual core::Result<void> sign(const typename Form::Input& input,
                                    core::ml_dsa::Randomness randomness,
                                    std::span<std::uint8_t, Form::signature_size> out) const = 0;
};

template <class Form>
class Verifier {
public:
    Verifier() = default;
    Verifier(const Verifier&) = delete;
    Verifier& operator=(const Verifier&) = delete;
    virtual ~Verifier() = default;
    virtual core::Result<void> verify(const typename Form::Input& input,
                                      SignatureBytes<Form> signature) const = 0;
};

template <class Form, class Backend>
class LoadedSigner final : public Signer<Form> {
public:
    core::Result<void> sign(const typename Form::Input& input, core::ml_dsa::Randomness randomness,
                            std::span<std::uint8_t, Form::signature_size> out) const override {
        return Form::template Build<Backend>::sign(key, input, randomness, out);
    }
    typename Form::template Build<Backend>::PrivateKey key;
};

template <class Form, class Backend>
class LoadedVerifier final : public Verifier<Form> {
public:
    explicit LoadedVerifier(PublicKeyBytes<Form> bytes) { key_.load(bytes); }
    core::Result<void> verify(const typename Form::Input& input,
                              SignatureBytes<Form> signature) const override {
        return Form::template Build<Backend>::verify(key_, input, signature);
    }

private:
    typename Form::template Build<Backend>::PublicKey key_;
};

template <class Form>
class SignatureKey {
public:
    using Seed = std::span<const std::uint8_t, Form::seed_size>;
    using Private = std::span<const std::uint8_t, Form::private_size>;

    explicit SignatureKey(const ProviderContext& context) : context_(context) {}
    SignatureKey(const SignatureKey&) = delete;
    SignatureKey& operator=(const SignatureKey&) = delete;
    ~SignatureKey() { std::unique_ptr<const Verifier<Form>>(verifier_.load()).reset(); }

    const ProviderContext& context() const { return context_; }
    bool has_public() const { return has_public_; }
    bool has_private() const { return signer_ != nullptr || remote_ != nullptr; }
    // False for a key whose private half is in a store.
    bool holds_private() const { return signer_ != nullptr; }
    // The half that signs, if it is in a store; null otherwise.
    const std::shared_ptr<const RemoteSigner>& remote() const { return remote_; }
    bool has_seed() const { return has_seed_; }
    // Of what the key has.
    PublicKeyBytes<Form> public_key() const { return public_; }
    // ML-DSA's tr.
    const core::ml_dsa::PublicKeyHash& public_key_hash() const { return public_key_hash_; }
    Seed seed() const { return seed_.expose(); }
    Private private_key() const {
        if constexpr (Form::is_expanded) {
            return private_.expose();
        } else {
            return seed_.expose();
        }
    }

    // An empty key becomes a private one.
    bool set_seed(Seed seed) {
        return with_backend(context_, [&]<class B>() {
            std::unique_ptr<LoadedSigner<Form, B>> signer(new (std::nothrow) LoadedSigner<Form, B>);
            if (signer == nullptr) return refuse(ERR_R_MALLOC_FAILURE, "out of memory");
            if (!Form::template Build<B>::expand(signer->key, seed, public_,
                                                 private_.expose_to_fill())) {
                return refuse(PROV_R_FAILED_TO_GENERATE_KEY, "the key does not expand");
            }
            std::ranges::copy(seed, seed_.expose_to_fill().begin());
            signer_ = std::move(signer);
            has_seed_ = true;
            finish_public();
            return true;
        });
    }
    bool generate() {
        core::Secret<struct DrawnTag, Form::seed_size> drawn;
        return draw_private(context_, drawn.expose_to_fill(), Form::row.security_bits) &&
               set_seed(drawn.expose());
    }
    void set_public(PublicKeyBytes<Form> bytes) {
        std::ranges::copy(bytes, public_.begin());
        finish_public();
    }
    // An expanded private key, with the public key that belongs to it.
    bool set_expanded(Private bytes, PublicKeyBytes<Form> public_key)
        requires(Form::is_expanded)
    {
        return with_backend(context_, [&]<class B>() {
            std::unique_ptr<LoadedSigner<Form, B>> signer(new (std::nothrow) LoadedSigner<Form, B>);
            if (signer == nullptr) return refuse(ERR_R_MALLOC_FAILURE, "out of memory");
            if (!signer->key.load(bytes)) {
                return refuse(PROV_R_INVALID_KEY, "a private key with values out of range");
            }
            std::ranges::copy(bytes, private_.expose_to_fill().begin());
            signer_ = std::move(signer);
            set_public(public_key);
            return true;
        });
    }
    // A key whose private half stays where it is.
    void set_remote(PublicKeyBytes<Form> public_key, std::shared_ptr<const RemoteSigner> signer) {
        set_public(public_key);
        remote_ = std::move(signer);
    }
    void clear() {
        core::ct::wipe(seed_.expose_to_fill());
        core::ct::wipe(private_.expose_to_fill());
        signer_.reset();
        remote_.reset();
        has_public_ = has_seed_ = false;
    }

    // Needs a private key that is held here.
    core::Result<void> sign(const typename Form::Input& input, core::ml_dsa::Randomness randomness,
                            std::span<std::uint8_t, Form::signature_size> out) const {
        return signer_->sign(input, randomness, out);
    }
    // Needs a public key.
    core::Result<void> verify(const typename Form::Input& input,
                              SignatureBytes<Form> signature) const {
        if (const Verifier<Form>* const verifier = loaded_verifier()) {
            return verifier->verify(input, signature);
        }
        return with_backend(context_, [&]<class B>() {
            return Form::template Build<B>::verify_once(public_, input, signature);
        });
    }

private:
    void finish_public() {
        if constexpr (Form::is_expanded) {
            public_key_hash_ = with_backend(
                context_, [&]<class B>() { return core::ml_dsa::public_key_hash<B>(public_); });
        }
        has_public_ = true;
    }

    // Null the first time, and when there is no memory for it.
    const Verifier<Form>* loaded_verifier() const {
        if (const Verifier<Form>* const there = verifier_.load(std::memory_order_acquire)) {
            return there;
        }
        if (!verified_once_.exchange(true, std::memory_order_relaxed)) return nullptr;
        std::unique_ptr<const Verifier<Form>> made =
            with_backend(context_, [&]<class B>() -> std::unique_ptr<const Verifier<Form>> {
                return std::unique_ptr<const Verifier<Form>>(new (std::nothrow)
                                                                 LoadedVerifier<Form, B>(public_));
            });
        const Verifier<Form>* expected = nullptr;
        // Two threads may have made one each: the first stays.
        if (verifier_.compare_exchange_strong(expected, made.get(), std::memory_order_acq_rel)) {
            return made.release();
        }
        return expected;
    }

    const ProviderContext& context_;
    std::array<std::uint8_t, Form::public_key_size> public_{};
    core::ml_dsa::PublicKeyHash public_key_hash_{};
    core::Secret<struct SignatureSeedTag, Form::seed_size> seed_;
    core::Secret<struct ExpandedKeyTag, Form::is_expanded ? Form::private_size : 0> private_;
    std::unique_ptr<const Signer<Form>> signer_;
    std::shared_ptr<const RemoteSigner> remote_;
    mutable std::atomic<const Verifier<Form>*> verifier_ = nullptr;
    mutable std::atomic<bool> verified_once_ = false;
    bool has_public_ = false;
    bool has_seed_ = false;
};

}  // namespace quoin::provider
