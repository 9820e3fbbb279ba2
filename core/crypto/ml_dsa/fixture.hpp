// What the tests and the benchmark share: OpenSSL's ML-DSA, random bytes with a printed seed, and
// our operations with workspaces on the heap.
#pragma once

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>

#include "core/crypto/ml_dsa/ml_dsa.hpp"
#include "core/crypto/test_hex.hpp"

namespace quoin::core::ml_dsa::fixture {

using test::ByteVector;

// ml_dsa_test prints it.
inline const std::uint64_t random_seed = std::random_device{}();

inline std::mt19937_64& generator() {
    static std::mt19937_64 instance(random_seed);
    return instance;
}

inline std::size_t random_below(std::size_t bound) { return generator()() % bound; }

inline ByteVector random_bytes(std::size_t size) { return test::random_bytes(generator(), size); }

template <class Set>
struct Name;
template <>
struct Name<Set44> {
    static constexpr const char* value = "ML-DSA-44";
};
template <>
struct Name<Set65> {
    static constexpr const char* value = "ML-DSA-65";
};
template <>
struct Name<Set87> {
    static constexpr const char* value = "ML-DSA-87";
};

inline Seed seed_of(const ByteVector& bytes) {
    Seed seed;
    for (std::size_t i = 0; i < 32; ++i) seed.expose_to_fill()[i] = bytes.at(i);
    return seed;
}

template <class Set>
struct KeyPair {
    ByteVector public_key = ByteVector(Set::public_key_size);
    ByteVector private_key = ByteVector(Set::private_key_size);

    PublicKey<Set> pk() const { return PublicKey<Set>(public_key); }
    PrivateKey<Set> sk() const { return PrivateKey<Set>(private_key); }
};

// For Ours: the variants for little memory.
struct LowMemory {};

template <class Set, class Backend>
struct Ours {
    using SignMemory = SignWorkspace<Set, Backend>;

    static KeyPair<Set> keygen(const ByteVector& xi) {
        KeyPair<Set> pair;
        const auto workspace = std::make_unique<KeygenWorkspace<Set, Backend>>();
        ml_dsa::keygen<Set, Backend>(
            seed_of(xi), std::span<std::uint8_t, Set::public_key_size>(pair.public_key),
            std::span<std::uint8_t, Set::private_key_size>(pair.private_key), *workspace);
        return pair;
    }
    // Empty if refused.
    static ByteVector sign(const ByteVector& private_key, const ByteVector& message,
                           const ByteVector& context, const ByteVector& randomness,
                           SignMemory& workspace = sign_memory()) {
        ByteVector signature(Set::signature_size);
        const auto result = ml_dsa::sign<Set, Backend>(
            PrivateKey<Set>(private_key), message, *Context::of(context), Randomness(randomness),
            std::span<std::uint8_t, Set::signature_size>(signature), workspace);
        if (!result) signature.clear();
        return signature;
    }
    static ByteVector sign_mu(const ByteVector& private_key, const Mu& mu) {
        ByteVector signature(Set::signature_size);
        const auto result = ml_dsa::sign_mu<Set, Backend>(
            PrivateKey<Set>(private_key), mu, deterministic,
            std::span<std::uint8_t, Set::signature_size>(signature), sign_memory());
        if (!result) signature.clear();
        return signature;
    }
    static bool verify(const ByteVector& public_key, const ByteVector& message,
                       const ByteVector& context, const ByteVector& signature) {
        return ml_dsa::verify<Set, Backend>(PublicKey<Set>(public_key), message,
                                            *Context::of(context), Signature<Set>(signature),
                                            verify_memory())
            .has_value();
    }
    static bool verify_mu(const ByteVector& public_key, const Mu& mu, const ByteVector& signature) {
        return ml_dsa::verify_mu<Set, Backend>(PublicKey<Set>(public_key), mu,
                                               Signature<Set>(signature), verify_memory())
            .has_value();
    }
    static SignMemory& sign_memory() {
        static const auto workspace = std::make_unique<SignMemory>();
        return *workspace;
    }
    static VerifyWorkspace<Set, Backend>& verify_memory() {
        static const auto workspace = std::make_unique<VerifyWorkspace<Set, Backend>>();
        return *workspace;
    }
};

template <class Set>
struct Ours<Set, LowMemory> {
    using SignMemory = LowMemorySignWorkspace<Set>;

    static KeyPair<Set> keygen(const ByteVector& xi) { return Ours<Set, Portable>::keygen(xi); }
    static ByteVector sign(const ByteVector& private_key, const ByteVector& message,
                           const ByteVector& context, const ByteVector& randomness,
                           SignMemory& workspace = sign_memory()) {
        PublicKeyHash tr;
        std::copy_n(private_key.begin() + 64, 64, tr.bytes.begin());
        return sign_any_mu(private_key, mu_of(tr, message, context), randomness, workspace);
    }
    static ByteVector sign_mu(const ByteVector& private_key, const Mu& mu) {
        return sign_any_mu(private_key, mu, ByteVector(32), sign_memory());
    }
    static bool verify(const ByteVector& public_key, const ByteVector& message,
                       const ByteVector& context, const ByteVector& signature) {
        return verify_mu(public_key, mu_of(public_key_hash(public_key), message, context),
                         signature);
    }
    static bool verify_mu(const ByteVector& public_key, const Mu& mu, const ByteVector& signature) {
        LowMemoryVerifyWorkspace workspace;
        return verify_mu_low_memory<Set>(PublicKey<Set>(public_key), mu, Signature<Set>(signature),
                                         workspace)
            .has_value();
    }
    static SignMemory& sign_memory() {
        static SignMemory workspace;
        return workspace;
    }

private:
    static Mu mu_of(const PublicKeyHash& tr, const ByteVector& message, const ByteVector& context) {
        return MessageHash<>(tr, *Context::of(context)).absorb(message).finish();
    }
    static ByteVector sign_any_mu(const ByteVector& private_key, const Mu& mu,
                                  const ByteVector& randomness, SignMemory& workspace) {
        ByteVector signature(Set::signature_size);
        const auto result = sign_mu_low_memory<Set>(
            PrivateKey<Set>(private_key), mu, Randomness(randomness),
            std::span<std::uint8_t, Set::signature_size>(signature), workspace);
        if (!result) signature.clear();
        return signature;
    }
};

inline const ByteVector no_randomness = ByteVector(32);

// OpenSSL's key; every call that fails ends the program.
template <class Set>
class Theirs {
public:
    explicit Theirs(const ByteVector& xi) {
        const std::unique_ptr<EVP_PKEY_CTX, Free> context(
            EVP_PKEY_CTX_new_from_name(nullptr, Name<Set>::value, nullptr));
        ByteVector seed = xi;
        const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_octet_string(
                                             OSSL_PKEY_PARAM_ML_DSA_SEED, seed.data(), seed.size()),
                                         OSSL_PARAM_construct_end()};
        EVP_PKEY* key = nullptr;
        must(EVP_PKEY_keygen_init(context.get()) == 1 &&
             EVP_PKEY_CTX_set_params(context.get(), parameters) == 1 &&
             EVP_PKEY_generate(context.get(), &key) == 1);
        key_.reset(key);
    }
    static Theirs of_public(const ByteVector& public_key) {
        Theirs theirs;
        theirs.key_.reset(EVP_PKEY_new_raw_public_key_ex(nullptr, Name<Set>::value, nullptr,
                                                         public_key.data(), public_key.size()));
        must(theirs.key_ != nullptr);
        return theirs;
    }

    ByteVector public_key() const { return part(OSSL_PKEY_PARAM_PUB_KEY, Set::public_key_size); }
    ByteVector private_key() const { return part(OSSL_PKEY_PARAM_PRIV_KEY, Set::private_key_size); }

    ByteVector sign(const ByteVector& message, const ByteVector& context_string,
                    bool message_is_mu = false,
                    const ByteVector& randomness = no_randomness) const {
        const auto context = new_context();
        int mu_flag = message_is_mu ? 1 : 0;
        ByteVector entropy = randomness;
        ByteVector copy = context_string;
        copy.reserve(1);  // OpenSSL refuses a null pointer to nothing
        const OSSL_PARAM parameters[] = {
            OSSL_PARAM_construct_octet_string(OSSL_SIGNATURE_PARAM_TEST_ENTROPY, entropy.data(),
                                              entropy.size()),
            OSSL_PARAM_construct_int(OSSL_SIGNATURE_PARAM_MU, &mu_flag),
            OSSL_PARAM_construct_octet_string(OSSL_SIGNATURE_PARAM_CONTEXT_STRING, copy.data(),
                                              copy.size()),
            OSSL_PARAM_construct_end()};
        ByteVector signature(Set::signature_size);
        std::size_t size = signature.size();
        must(EVP_PKEY_sign_message_init(context.get(), algorithm(), parameters) == 1 &&
             EVP_PKEY_sign(context.get(), signature.data(), &size, message.data(),
                           message.size()) == 1 &&
             size == signature.size());
        return signature;
    }
    bool verify(const ByteVector& message, const ByteVector& context_string,
                const ByteVector& signature, bool message_is_mu = false) const {
        const auto context = new_context();
        int mu_flag = message_is_mu ? 1 : 0;
        ByteVector copy = context_string;
        copy.reserve(1);  // OpenSSL refuses a null pointer to nothing
        const OSSL_PARAM parameters[] = {
            OSSL_PARAM_construct_int(OSSL_SIGNATURE_PARAM_MU, &mu_flag),
            OSSL_PARAM_construct_octet_string(OSSL_SIGNATURE_PARAM_CONTEXT_STRING, copy.data(),
                                              copy.size()),
            OSSL_PARAM_construct_end()};
        must(EVP_PKEY_verify_message_init(context.get(), algorithm(), parameters) == 1);
        return EVP_PKEY_verify(context.get(), signature.data(), signature.size(), message.data(),
                               message.size()) == 1;
    }

private:
    struct Free {
        void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
        void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
        void operator()(EVP_SIGNATURE* signature) const { EVP_SIGNATURE_free(signature); }
    };

    Theirs() = default;

    static void must(bool done) {
        if (done) return;
        ERR_print_errors_fp(stderr);
        std::abort();
    }
    static EVP_SIGNATURE* algorithm() {
        static const std::unique_ptr<EVP_SIGNATURE, Free> fetched(
            EVP_SIGNATURE_fetch(nullptr, Name<Set>::value, nullptr));
        return fetched.get();
    }
    std::unique_ptr<EVP_PKEY_CTX, Free> new_context() const {
        return std::unique_ptr<EVP_PKEY_CTX, Free>(
            EVP_PKEY_CTX_new_from_pkey(nullptr, key_.get(), nullptr));
    }
    ByteVector part(const char* name, std::size_t size) const {
        ByteVector bytes(size);
        std::size_t got = 0;
        must(EVP_PKEY_get_octet_string_param(key_.get(), name, bytes.data(), bytes.size(), &got) ==
                 1 &&
             got == size);
        return bytes;
    }

    std::unique_ptr<EVP_PKEY, Free> key_;
};

}  // namespace quoin::core::ml_dsa::fixture
