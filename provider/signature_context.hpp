// What one signing or verifying holds, and the parameters that all our signature algorithms have.
#pragma once

#include "provider/parameters.hpp"
#include "provider/self_test.hpp"
#include "provider/signature_key.hpp"

namespace quoin::provider {

// provider-signature(7). OpenSSL keeps the key alive.
template <class Form>
struct SignatureContext {
    const ProviderContext& provider;
    const SignatureKey<Form>* key = nullptr;
    std::array<std::uint8_t, core::ml_dsa::Context::max_size> context_string = {};
    std::size_t context_size = 0;
    std::array<std::uint8_t, 32> test_entropy = {};
    bool has_test_entropy = false;
    int deterministic = 0;

    core::ml_dsa::Context context() const {
        // At most max_size: there is always a value.
        return *core::ml_dsa::Context::of(Bytes(context_string).first(context_size));
    }

    // A null key: the one of before. False, and the queue says why.
    bool set_key(const void* next) {
        if (next != nullptr) key = static_cast<const SignatureKey<Form>*>(next);
        return key != nullptr || refuse(PROV_R_NO_KEY_SET, "no key to sign or verify with");
    }

    bool set_common(const OSSL_PARAM parameters[]) {
        if (parameters == nullptr) return true;
        if (OSSL_PARAM_locate_const(parameters, OSSL_SIGNATURE_PARAM_CONTEXT_STRING) != nullptr) {
            const auto given = octets(parameters, OSSL_SIGNATURE_PARAM_CONTEXT_STRING);
            context_size = 0;
            if (!given || given->size() > context_string.size()) {
                return refuse(PROV_R_INVALID_DATA, "a context string has at most 255 bytes");
            }
            std::ranges::copy(*given, context_string.begin());
            context_size = given->size();
        }
        if (OSSL_PARAM_locate_const(parameters, OSSL_SIGNATURE_PARAM_TEST_ENTROPY) != nullptr) {
            const auto given = octets(parameters, OSSL_SIGNATURE_PARAM_TEST_ENTROPY);
            has_test_entropy = given && given->size() == test_entropy.size();
            if (!has_test_entropy) {
                return refuse(PROV_R_INVALID_SEED_LENGTH, "test-entropy has 32 bytes");
            }
            std::ranges::copy(*given, test_entropy.begin());
        }
        return read_int(parameters, OSSL_SIGNATURE_PARAM_DETERMINISTIC, deterministic);
    }

    // What makes the next signature hedged.
    bool draw(std::array<std::uint8_t, 32>& randomness) const {
        if (has_test_entropy) {
            randomness = test_entropy;
            return true;
        }
        randomness = {};
        return deterministic == 1 || draw_private(provider, randomness, Form::row.security_bits);
    }

    // Of `input` into `signature`, which has room for `room` bytes; null asks for the size.
    int sign(const typename Form::Input& input, unsigned char* signature, std::size_t* size,
             std::size_t room) const {
        if (!is_running(provider)) return 0;
        if (room < Form::signature_size) {
            return refuse(PROV_R_OUTPUT_BUFFER_TOO_SMALL, "no room for the signature");
        }
        if (!key->has_private()) return refuse(PROV_R_NOT_A_PRIVATE_KEY, "a public key signs not");
        std::array<std::uint8_t, 32> randomness{};
        if (!draw(randomness)) return 0;
        const auto signed_by_key = key->sign(
            input, randomness,
            std::span<std::uint8_t, Form::signature_size>(signature, Form::signature_size));
        core::ct::wipe(randomness);
        if (!signed_by_key) return refuse(ERR_R_INTERNAL_ERROR, "the key could not sign");
        *size = Form::signature_size;
        return 1;
    }

    // By the store that holds the key. It hedges itself.
    int sign_remote(Bytes message, unsigned char* signature, std::size_t* size,
                    std::size_t room) const {
        if (!is_running(provider)) return 0;
        if (room < Form::signature_size) {
            return refuse(PROV_R_OUTPUT_BUFFER_TOO_SMALL, "no room for the signature");
        }
        if (deterministic != 0 || has_test_entropy) {
            return refuse(ERR_R_UNSUPPORTED, "a store of keys draws its own randomness");
        }
        if (!key->remote()->sign(message, context().bytes(),
                                 MutableBytes(signature, Form::signature_size))) {
            return 0;
        }
        *size = Form::signature_size;
        return 1;
    }

    int verify(const typename Form::Input& input, Bytes signature) const {
        if (!is_running(provider)) return 0;
        if (!key->has_public()) return refuse(PROV_R_MISSING_KEY, "an empty key");
        if (signature.size() != Form::signature_size) {
            return refuse(PROV_R_INVALID_SIGNATURE_SIZE, "a signature of the wrong length");
        }
        const auto verified = key->verify(input, signature.template first<Form::signature_size>());
        if (verified) return 1;
        if (verified.error() == Code::peer_malformed) {
            return refuse(PROV_R_INVALID_KEY, "a half of the public key is no public key");
        }
        return 0;  // as the default provider: no error but the answer
    }
};

// The AlgorithmIdentifier, which X.509 and CMS ask for.
template <class Form>
int answer_algorithm_id(void* context, OSSL_PARAM parameters[]) noexcept {
    return context != nullptr && answer_octets(parameters, OSSL_SIGNATURE_PARAM_ALGORITHM_ID,
                                               bytes_of(Form::row.algorithm_id))
               ? 1
               : 0;
}

inline const OSSL_PARAM* gettable_algorithm_id(void*, void*) noexcept {
    static const OSSL_PARAM parameters[] = {
        OSSL_PARAM_octet_string(OSSL_SIGNATURE_PARAM_ALGORITHM_ID, nullptr, 0), OSSL_PARAM_END};
    return parameters;
}

}  // namespace quoin::provider
