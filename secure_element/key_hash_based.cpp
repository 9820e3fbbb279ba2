#include <openssl/core_names.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <string>

#include "core/crypto/slh_dsa/slh_dsa.hpp"
#include "host/crypto/crypto.hpp"
#include "host/crypto/handles.hpp"
#include "host/crypto/library.hpp"
#include "host/crypto/selftest/core.hpp"
#include "host/crypto/selftest/module.hpp"
#include "secure_element/backend.hpp"
#include "secure_element/key.hpp"

namespace quoin::secure_element {
namespace {

using namespace core::slh_dsa;
using KeyHandle = crypto::Handle<EVP_PKEY, EVP_PKEY_free>;
using KeyContextHandle = crypto::Handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using SignatureHandle = crypto::Handle<EVP_SIGNATURE, EVP_SIGNATURE_free>;

constexpr std::array<std::uint8_t, 32> test_message{0x51};

struct PrivateTag;

// core signs with two sets, faster than OpenSSL.
template <class Set, class Backend>
class CoreKey final : public Key {
public:
    explicit CoreKey(Bytes material) {
        std::ranges::copy(material, private_.expose_to_fill().begin());
    }

    Bytes public_key() const override {
        return private_.expose().template last<Set::public_key_size>();
    }
    Result<ByteVector> sign(Bytes message, Bytes context) const override {
        std::array<std::uint8_t, Set::n> randomness{};
        QUOIN_CHECK(private_random(randomness));
        ByteVector signature(Set::signature_size);
        QUOIN_CHECK(lift(core::slh_dsa::sign<Set, Backend>(
                             private_.expose(), message, context, randomness,
                             std::span(signature).template first<Set::signature_size>()),
                         "sign with SLH-DSA"));
        return signature;
    }
    Result<void> check_pair() const override {
        QUOIN_TRY(const ByteVector signature, sign(test_message, {}));
        return lift(verify<Set, Backend>(private_.expose().template last<Set::public_key_size>(),
                                         test_message, {}, signature),
                    "the new SLH-DSA key's first signature");
    }

private:
    core::Secret<PrivateTag, Set::private_key_size> private_;
};

std::unexpected<Error> openssl_failure(std::string_view doing) {
    return fail(Code::internal, "{} with SLH-DSA: OpenSSL: {}", doing, crypto::openssl_error());
}

class OpensslKey final : public Key {
public:
    static Result<std::unique_ptr<Key>> load(Algorithm algorithm, Bytes material) {
        auto key = std::make_unique<OpensslKey>();
        const std::string name(keys::se::info(algorithm).name);
        key->key_.reset(EVP_PKEY_new_raw_private_key_ex(crypto::library(), name.c_str(), nullptr,
                                                        material.data(), material.size()));
        key->signature_.reset(EVP_SIGNATURE_fetch(crypto::library(), name.c_str(), nullptr));
        if (!key->key_ || !key->signature_) return openssl_failure("load a key");
        const Bytes public_half = material.last(material.size() / 2);
        key->public_.assign(public_half.begin(), public_half.end());
        key->signature_size_ = keys::se::info(algorithm).output_size;
        return key;
    }

    Bytes public_key() const override { return public_; }
    Result<ByteVector> sign(Bytes message, Bytes context) const override {
        const KeyContextHandle operation(
            EVP_PKEY_CTX_new_from_pkey(crypto::library(), key_.get(), nullptr));
        const std::array parameters = context_parameter(context);
        ByteVector signature(signature_size_);
        std::size_t size = signature.size();
        if (!operation ||
            EVP_PKEY_sign_message_init(operation.get(), signature_.get(), parameters.data()) != 1 ||
            EVP_PKEY_sign(operation.get(), signature.data(), &size, message.data(),
                          message.size()) != 1) {
            return openssl_failure("sign");
        }
        return signature;
    }
    Result<void> check_pair() const override {
        QUOIN_TRY(const ByteVector signature, sign(test_message, {}));
        const KeyContextHandle operation(
            EVP_PKEY_CTX_new_from_pkey(crypto::library(), key_.get(), nullptr));
        if (!operation ||
            EVP_PKEY_verify_message_init(operation.get(), signature_.get(), nullptr) != 1 ||
            EVP_PKEY_verify(operation.get(), signature.data(), signature.size(),
                            test_message.data(), test_message.size()) != 1) {
            return openssl_failure("verify a new key's first signature");
        }
        return {};
    }

private:
    static std::array<OSSL_PARAM, 2> context_parameter(Bytes context) {
        if (context.empty()) return {OSSL_PARAM_construct_end(), OSSL_PARAM_construct_end()};
        return {OSSL_PARAM_construct_octet_string(OSSL_SIGNATURE_PARAM_CONTEXT_STRING,
                                                  const_cast<std::uint8_t*>(context.data()),
                                                  context.size()),
                OSSL_PARAM_construct_end()};
    }

    KeyHandle key_;
    SignatureHandle signature_;
    ByteVector public_;
    std::size_t signature_size_ = 0;
};

// Before the first key: core's two sets by core's known answers, OpenSSL's by EVP's.
Result<void> test_before_use(Algorithm algorithm) {
    if (algorithm != Algorithm::slh_dsa_shake_128s && algorithm != Algorithm::slh_dsa_shake_128f) {
        return crypto::before_signing(keys::se::info(algorithm).name);
    }
    using namespace core::known_answers;
    static const Result<void> tested = with_vectors([]<class Backend>() {
        return crypto::selftest::check_core({slh_dsa_sign<Backend>(), slh_dsa_verify<Backend>()});
    });
    return tested;
}

}  // namespace

Result<SecretBytes> make_hash_based_material(Algorithm algorithm) {
    QUOIN_CHECK(test_before_use(algorithm));
    const std::string name(keys::se::info(algorithm).name);
    const KeyHandle key(EVP_PKEY_Q_keygen(crypto::library(), nullptr, name.c_str()));
    SecretBytes material(keys::se::info(algorithm).private_key_size);
    std::size_t size = material.size();
    if (!key ||
        EVP_PKEY_get_raw_private_key(key.get(), material.expose_to_fill().data(), &size) != 1 ||
        size != material.size()) {
        return openssl_failure("make a key");
    }
    return material;
}

Result<std::unique_ptr<Key>> load_hash_based_key(Algorithm algorithm, Bytes material) {
    QUOIN_CHECK(test_before_use(algorithm));
    return with_vectors([&]<class Backend>() -> Result<std::unique_ptr<Key>> {
        if (algorithm == Algorithm::slh_dsa_shake_128s) {
            return std::make_unique<CoreKey<Shake_128s, Backend>>(material);
        }
        if (algorithm == Algorithm::slh_dsa_shake_128f) {
            return std::make_unique<CoreKey<Shake_128f, Backend>>(material);
        }
        return OpensslKey::load(algorithm, material);
    });
}

}  // namespace quoin::secure_element
