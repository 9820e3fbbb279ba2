// For the tests and the bench: the sets by name, and SLH-DSA by OpenSSL.
#pragma once

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <memory>
#include <random>

#include "core/crypto/slh_dsa/slh_dsa.hpp"
#include "core/crypto/test_cpu.hpp"
#include "core/crypto/test_hex.hpp"

namespace quoin::core::slh_dsa {

using test::ByteVector;
using test::random_bytes;

// A test that fails tells it.
inline const std::uint64_t random_seed = std::random_device{}();
inline std::mt19937_64 seeded() { return std::mt19937_64(random_seed); }

template <class S>
inline constexpr const char* name_of = "";
template <>
inline constexpr const char* name_of<Sha2_128s> = "SLH-DSA-SHA2-128s";
template <>
inline constexpr const char* name_of<Sha2_128f> = "SLH-DSA-SHA2-128f";
template <>
inline constexpr const char* name_of<Sha2_192s> = "SLH-DSA-SHA2-192s";
template <>
inline constexpr const char* name_of<Sha2_192f> = "SLH-DSA-SHA2-192f";
template <>
inline constexpr const char* name_of<Sha2_256s> = "SLH-DSA-SHA2-256s";
template <>
inline constexpr const char* name_of<Sha2_256f> = "SLH-DSA-SHA2-256f";
template <>
inline constexpr const char* name_of<Shake_128s> = "SLH-DSA-SHAKE-128s";
template <>
inline constexpr const char* name_of<Shake_128f> = "SLH-DSA-SHAKE-128f";
template <>
inline constexpr const char* name_of<Shake_192s> = "SLH-DSA-SHAKE-192s";
template <>
inline constexpr const char* name_of<Shake_192f> = "SLH-DSA-SHAKE-192f";
template <>
inline constexpr const char* name_of<Shake_256s> = "SLH-DSA-SHAKE-256s";
template <>
inline constexpr const char* name_of<Shake_256f> = "SLH-DSA-SHAKE-256f";

// A key of OpenSSL.
template <class Set>
class Peer {
public:
    static Peer generate() { return Peer(EVP_PKEY_Q_keygen(nullptr, nullptr, name_of<Set>)); }
    static Peer from_private(Bytes key) {
        return Peer(EVP_PKEY_new_raw_private_key_ex(nullptr, name_of<Set>, nullptr, key.data(),
                                                    key.size()));
    }
    static Peer from_public(Bytes key) {
        return Peer(
            EVP_PKEY_new_raw_public_key_ex(nullptr, name_of<Set>, nullptr, key.data(), key.size()));
    }
    ByteVector private_key() const {
        ByteVector key(Set::private_key_size);
        std::size_t size = key.size();
        EVP_PKEY_get_raw_private_key(key_.get(), key.data(), &size);
        return key;
    }
    ByteVector public_key() const {
        ByteVector key(Set::public_key_size);
        std::size_t size = key.size();
        EVP_PKEY_get_raw_public_key(key_.get(), key.data(), &size);
        return key;
    }

    // Without `randomness`: deterministic.
    ByteVector sign(Bytes message, Bytes context, Bytes randomness = {}) const {
        int deterministic = 1;
        const OSSL_PARAM parameters[] = {
            context_parameter(context),
            randomness.empty()
                ? OSSL_PARAM_construct_int(OSSL_SIGNATURE_PARAM_DETERMINISTIC, &deterministic)
                : OSSL_PARAM_construct_octet_string(OSSL_SIGNATURE_PARAM_TEST_ENTROPY,
                                                    const_cast<std::uint8_t*>(randomness.data()),
                                                    randomness.size()),
            OSSL_PARAM_construct_end()};
        const Context state(EVP_MD_CTX_new());
        ByteVector signature(Set::signature_size);
        std::size_t size = signature.size();
        if (EVP_DigestSignInit_ex(state.get(), nullptr, nullptr, nullptr, nullptr, key_.get(),
                                  parameters) != 1 ||
            EVP_DigestSign(state.get(), signature.data(), &size, message.data(), message.size()) !=
                1) {
            return {};
        }
        return signature;
    }

    bool verify(Bytes message, Bytes context, Bytes signature) const {
        const OSSL_PARAM parameters[] = {context_parameter(context), OSSL_PARAM_construct_end()};
        const Context state(EVP_MD_CTX_new());
        return EVP_DigestVerifyInit_ex(state.get(), nullptr, nullptr, nullptr, nullptr, key_.get(),
                                       parameters) == 1 &&
               EVP_DigestVerify(state.get(), signature.data(), signature.size(), message.data(),
                                message.size()) == 1;
    }

private:
    static OSSL_PARAM context_parameter(Bytes context) {
        static std::uint8_t nothing = 0;  // OpenSSL refuses a null pointer
        auto* bytes = context.empty() ? &nothing : const_cast<std::uint8_t*>(context.data());
        return OSSL_PARAM_construct_octet_string(OSSL_SIGNATURE_PARAM_CONTEXT_STRING, bytes,
                                                 context.size());
    }
    struct Free {
        void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
        void operator()(EVP_MD_CTX* state) const { EVP_MD_CTX_free(state); }
    };
    using Context = std::unique_ptr<EVP_MD_CTX, Free>;
    explicit Peer(EVP_PKEY* key) : key_(key) {}
    std::unique_ptr<EVP_PKEY, Free> key_;
};

template <class Set, class Backend>
Result<void> verify_bytes(Bytes key, Bytes message, Bytes context, Bytes signature) {
    return verify<Set, Backend>(key.first<Set::public_key_size>(), message, context, signature);
}

}  // namespace quoin::core::slh_dsa
