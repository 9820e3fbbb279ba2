// What the tests and the benchmark share: our operations on vectors, and OpenSSL's ML-KEM.
#pragma once

#include <openssl/core_names.h>
#include <openssl/evp.h>

#include <cstdlib>
#include <memory>

#include "core/crypto/ml_kem/ml_kem.hpp"
#include "core/crypto/test_hex.hpp"

namespace quoin::core::ml_kem::fixture {

using test::ByteVector;

template <class Set>
inline constexpr const char* name = Set::k == 2   ? "ML-KEM-512"
                                    : Set::k == 3 ? "ML-KEM-768"
                                                  : "ML-KEM-1024";

template <std::size_t Size>
std::span<const std::uint8_t, Size> view(const ByteVector& bytes) {
    if (bytes.size() != Size) std::abort();
    return std::span<const std::uint8_t, Size>(bytes);
}

struct Pair {
    ByteVector ek;
    ByteVector dk;
};

struct Encapsulated {
    ByteVector ciphertext;
    ByteVector secret;
    bool operator==(const Encapsulated&) const = default;
};

template <class Set, class Backend>
struct Ours {
    static Pair generate(const ByteVector& d, const ByteVector& z) {
        Pair pair{ByteVector(Set::encapsulation_key_size), ByteVector(Set::decapsulation_key_size)};
        ml_kem::generate<Set, Backend>(
            std::span<std::uint8_t, Set::encapsulation_key_size>(pair.ek),
            std::span<std::uint8_t, Set::decapsulation_key_size>(pair.dk), view<32>(d), view<32>(z),
            workspace());
        return pair;
    }
    static Encapsulated encapsulate(const ByteVector& ek, const ByteVector& m) {
        Encapsulated out{ByteVector(Set::ciphertext_size), ByteVector(32)};
        const auto key =
            EncapsulationKey<Set>::template check<Backend>(view<Set::encapsulation_key_size>(ek));
        if (!key) return {};
        ml_kem::encapsulate<Set, Backend>(
            SharedSecret(out.secret), std::span<std::uint8_t, Set::ciphertext_size>(out.ciphertext),
            *key, view<32>(m), workspace());
        return out;
    }
    static ByteVector decapsulate(const ByteVector& dk, const ByteVector& ciphertext) {
        ByteVector secret(32);
        const auto key =
            DecapsulationKey<Set>::template check<Backend>(view<Set::decapsulation_key_size>(dk));
        if (!key) return {};
        ml_kem::decapsulate<Set, Backend>(SharedSecret(secret), *key,
                                          view<Set::ciphertext_size>(ciphertext), workspace());
        return secret;
    }

    // OpenSSL, too, checks a key once, when it is loaded.
    static ByteVector decapsulate_unchecked(const ByteVector& dk, const ByteVector& ciphertext) {
        ByteVector secret(32);
        const auto key =
            DecapsulationKey<Set>::danger_unchecked(view<Set::decapsulation_key_size>(dk));
        ml_kem::decapsulate<Set, Backend>(SharedSecret(secret), key,
                                          view<Set::ciphertext_size>(ciphertext), workspace());
        return secret;
    }

private:
    static Workspace<Set, Backend>& workspace() {
        static const auto instance = std::make_unique<Workspace<Set, Backend>>();
        return *instance;
    }
};

// OpenSSL's; a call that should not fail ends the program.
template <class Set>
class Theirs {
public:
    Theirs(const ByteVector& d, const ByteVector& z) : context_(nullptr, &EVP_PKEY_CTX_free) {
        ByteVector seed = d;
        seed.insert(seed.end(), z.begin(), z.end());
        const Context context(EVP_PKEY_CTX_new_from_name(nullptr, name<Set>, nullptr),
                              &EVP_PKEY_CTX_free);
        const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_octet_string(
                                             OSSL_PKEY_PARAM_ML_KEM_SEED, seed.data(), seed.size()),
                                         OSSL_PARAM_construct_end()};
        EVP_PKEY* key = nullptr;
        must(EVP_PKEY_keygen_init(context.get()) == 1 &&
             EVP_PKEY_CTX_set_params(context.get(), parameters) == 1 &&
             EVP_PKEY_generate(context.get(), &key) == 1);
        take(key);
    }
    explicit Theirs(const ByteVector& ek) : context_(nullptr, &EVP_PKEY_CTX_free) {
        EVP_PKEY* key =
            EVP_PKEY_new_raw_public_key_ex(nullptr, name<Set>, nullptr, ek.data(), ek.size());
        if (key != nullptr) take(key);
    }

    bool accepted() const { return key_ != nullptr; }
    ByteVector ek() const { return part(OSSL_PKEY_PARAM_PUB_KEY, Set::encapsulation_key_size); }
    ByteVector dk() const { return part(OSSL_PKEY_PARAM_PRIV_KEY, Set::decapsulation_key_size); }

    Encapsulated encapsulate(ByteVector m) const {
        Encapsulated out{ByteVector(Set::ciphertext_size), ByteVector(32)};
        const OSSL_PARAM parameters[] = {
            OSSL_PARAM_construct_octet_string(OSSL_KEM_PARAM_IKME, m.data(), m.size()),
            OSSL_PARAM_construct_end()};
        std::size_t ciphertext_size = out.ciphertext.size();
        std::size_t secret_size = out.secret.size();
        must(EVP_PKEY_encapsulate_init(context_.get(), parameters) == 1 &&
             EVP_PKEY_encapsulate(context_.get(), out.ciphertext.data(), &ciphertext_size,
                                  out.secret.data(), &secret_size) == 1);
        return out;
    }
    ByteVector decapsulate(const ByteVector& ciphertext) const {
        ByteVector secret(32);
        std::size_t size = secret.size();
        must(EVP_PKEY_decapsulate_init(context_.get(), nullptr) == 1 &&
             EVP_PKEY_decapsulate(context_.get(), secret.data(), &size, ciphertext.data(),
                                  ciphertext.size()) == 1);
        return secret;
    }

private:
    using Context = std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)>;
    struct Free {
        void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    };

    static void must(bool done) {
        if (!done) std::abort();
    }
    void take(EVP_PKEY* key) {
        key_.reset(key);
        context_.reset(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
    }
    ByteVector part(const char* which, std::size_t size) const {
        ByteVector bytes(size);
        std::size_t got = 0;
        must(EVP_PKEY_get_octet_string_param(key_.get(), which, bytes.data(), size, &got) == 1 &&
             got == size);
        return bytes;
    }

    std::unique_ptr<EVP_PKEY, Free> key_;
    Context context_;
};

}  // namespace quoin::core::ml_kem::fixture
