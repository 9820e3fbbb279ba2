// Encapsulation with ML-KEM: provider-kem(7). As the default provider does it (EVP_KEM-ML-KEM(7)),
// with its parameter "ikme": the entropy of the next encapsulation, for known answers.
#include <optional>
#include <utility>

#include "provider/buffers.hpp"
#include "provider/ml_kem_key.hpp"
#include "provider/operations.hpp"
#include "provider/parameters.hpp"

namespace quoin::provider {
namespace {

constexpr std::size_t entropy_size = 32;
constexpr std::size_t secret_size = core::ml_kem::shared_secret_size;

using Entropy = core::Secret<struct EntropyTag, entropy_size>;

template <class Set>
struct Operation {
    const MlKemKey<Set>* key = nullptr;  // OpenSSL keeps it alive
    bool encapsulates = false;
    std::optional<Entropy> entropy = std::nullopt;
};

template <class Set>
void* create(void*) noexcept {
    return give_away<Operation<Set>>();
}

template <class Set>
void destroy(void* operation) noexcept {
    take_back<Operation<Set>>(operation);
}

template <class Set>
int set(void* of, const OSSL_PARAM parameters[]) noexcept {
    auto& operation = *static_cast<Operation<Set>*>(of);
    if (!operation.encapsulates) {
        operation.entropy.reset();
        return 1;
    }
    if (parameters == nullptr ||
        OSSL_PARAM_locate_const(parameters, OSSL_KEM_PARAM_IKME) == nullptr) {
        return 1;
    }
    const auto entropy = octets(parameters, OSSL_KEM_PARAM_IKME);
    operation.entropy.reset();
    if (!entropy || entropy->size() != entropy_size) {
        return refuse(PROV_R_INVALID_SEED_LENGTH, "ML-KEM: ikme has 32 bytes");
    }
    std::ranges::copy(*entropy, operation.entropy.emplace().expose_to_fill().begin());
    return 1;
}

const OSSL_PARAM* settable(void*, void*) noexcept {
    static const OSSL_PARAM parameters[] = {
        OSSL_PARAM_octet_string(OSSL_KEM_PARAM_IKME, nullptr, 0), OSSL_PARAM_END};
    return parameters;
}

template <class Set>
int start_encapsulation(void* of, void* key, const OSSL_PARAM parameters[]) noexcept {
    auto& operation = *static_cast<Operation<Set>*>(of);
    operation.key = static_cast<const MlKemKey<Set>*>(key);
    if (!operation.key->has_public()) return refuse(PROV_R_MISSING_KEY, "ML-KEM: an empty key");
    operation.encapsulates = true;
    return set<Set>(of, parameters);
}

template <class Set>
int start_decapsulation(void* of, void* key, const OSSL_PARAM parameters[]) noexcept {
    auto& operation = *static_cast<Operation<Set>*>(of);
    operation.key = static_cast<const MlKemKey<Set>*>(key);
    if (!operation.key->has_private()) return refuse(PROV_R_MISSING_KEY, "ML-KEM: a public key");
    operation.encapsulates = false;
    return set<Set>(of, parameters);
}

template <class Set>
int encapsulate(void* of, unsigned char* ciphertext, std::size_t* ciphertext_size,
                unsigned char* secret, std::size_t* given_secret_size) noexcept {
    auto& operation = *static_cast<Operation<Set>*>(of);
    if (ciphertext == nullptr) {
        return tell_sizes(ciphertext_size, Set::ciphertext_size, given_secret_size, secret_size);
    }
    // Entropy that was set is good for one encapsulation, also one that fails.
    std::optional<Entropy> entropy = std::exchange(operation.entropy, std::nullopt);
    if (!has_room(ciphertext, ciphertext_size, Set::ciphertext_size) ||
        !has_room(secret, given_secret_size, secret_size)) {
        return 0;
    }
    if (!entropy && !draw_private(operation.key->context(), entropy.emplace().expose_to_fill(),
                                  kem_of<Set>.security_bits)) {
        return 0;
    }
    operation.key->encapsulate(
        std::span<std::uint8_t, secret_size>(secret, secret_size),
        std::span<std::uint8_t, Set::ciphertext_size>(ciphertext, Set::ciphertext_size),
        entropy->expose());
    return 1;
}

template <class Set>
int decapsulate(void* of, unsigned char* secret, std::size_t* given_secret_size,
                const unsigned char* ciphertext, std::size_t ciphertext_size) noexcept {
    const auto& operation = *static_cast<Operation<Set>*>(of);
    if (secret == nullptr) return tell_sizes(nullptr, 0, given_secret_size, secret_size);
    std::size_t size = secret_size;  // an older caller gives no length
    if (!has_room(secret, given_secret_size == nullptr ? &size : given_secret_size, secret_size)) {
        return 0;
    }
    if (ciphertext == nullptr || ciphertext_size != Set::ciphertext_size) {
        return refuse(PROV_R_WRONG_CIPHERTEXT_SIZE, "ML-KEM: a ciphertext of the wrong length");
    }
    operation.key->decapsulate(
        std::span<std::uint8_t, secret_size>(secret, secret_size),
        std::span<const std::uint8_t, Set::ciphertext_size>(ciphertext, ciphertext_size));
    return 1;
}

template <class Set>
const OSSL_DISPATCH functions[] = {
    QUOIN_ENTRY(KEM_NEWCTX, kem_newctx, create<Set>),
    QUOIN_ENTRY(KEM_FREECTX, kem_freectx, destroy<Set>),
    QUOIN_ENTRY(KEM_ENCAPSULATE_INIT, kem_encapsulate_init, start_encapsulation<Set>),
    QUOIN_ENTRY(KEM_ENCAPSULATE, kem_encapsulate, encapsulate<Set>),
    QUOIN_ENTRY(KEM_DECAPSULATE_INIT, kem_decapsulate_init, start_decapsulation<Set>),
    QUOIN_ENTRY(KEM_DECAPSULATE, kem_decapsulate, decapsulate<Set>),
    QUOIN_ENTRY(KEM_SET_CTX_PARAMS, kem_set_ctx_params, set<Set>),
    QUOIN_ENTRY(KEM_SETTABLE_CTX_PARAMS, kem_settable_ctx_params, settable),
    OSSL_DISPATCH_END};

template <class Set>
constexpr OSSL_ALGORITHM row = {kem_of<Set>.names, properties, functions<Set>, kem_of<Set>.name};

}  // namespace

const std::array<OSSL_ALGORITHM, 3> ml_kem_kems = {
    row<core::ml_kem::Set512>, row<core::ml_kem::Set768>, row<core::ml_kem::Set1024>};

}  // namespace quoin::provider
