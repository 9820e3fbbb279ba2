// Encapsulation: provider-kem(7). As the default provider does it (EVP_KEM-ML-KEM(7)), with its
// parameter "ikme" of ML-KEM: the entropy of the next encapsulation, for known answers.
#include <optional>
#include <utility>

#include "provider/operations.hpp"
#include "provider/parameters.hpp"
#include "provider/self_test.hpp"
#include "provider/x25519_ml_kem_768.hpp"

namespace quoin::provider {
namespace {

constexpr std::size_t entropy_size = 32;  // m of FIPS 203, algorithm 17

using Entropy = core::Secret<struct EntropyTag, entropy_size>;

// The caller asks how much room is needed, of what it has a pointer for.
int tell_sizes(std::size_t* ciphertext_size, std::size_t ciphertext, std::size_t* secret_size,
               std::size_t secret) {
    if (ciphertext_size != nullptr) *ciphertext_size = ciphertext;
    if (secret_size != nullptr) *secret_size = secret;
    return ciphertext_size != nullptr || secret_size != nullptr ? 1 : 0;
}

// Is there room for `size` bytes? Then `given` becomes the size.
bool has_room(const unsigned char* buffer, std::size_t* given, std::size_t size) {
    if (buffer == nullptr) return refuse(PROV_R_NULL_OUTPUT_BUFFER, "a result has no buffer");
    if (given == nullptr) return refuse(PROV_R_NULL_LENGTH_POINTER, "a buffer has no length");
    if (*given < size) return refuse(PROV_R_OUTPUT_BUFFER_TOO_SMALL, "a buffer is too small");
    *given = size;
    return true;
}

template <class Key>
struct Operation {
    const Key* key = nullptr;  // OpenSSL keeps it alive
    bool encapsulates = false;
    std::optional<Entropy> entropy = std::nullopt;
};

template <class Key>
void* create(void*) noexcept {
    return give_away<Operation<Key>>();
}

template <class Key>
void destroy(void* operation) noexcept {
    take_back<Operation<Key>>(operation);
}

template <class Key>
constexpr bool takes_entropy = Key::row.seed_size != 0;

template <class Key>
int set(void* of, const OSSL_PARAM parameters[]) noexcept {
    auto& operation = *static_cast<Operation<Key>*>(of);
    if (!operation.encapsulates) operation.entropy.reset();
    if (!takes_entropy<Key> || !operation.encapsulates ||
        !is_among(parameters, OSSL_KEM_PARAM_IKME)) {
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

template <class Key>
const OSSL_PARAM* settable(void*, void*) noexcept {
    static const OSSL_PARAM parameters[] = {
        OSSL_PARAM_octet_string(OSSL_KEM_PARAM_IKME, nullptr, 0), OSSL_PARAM_END};
    return takes_entropy<Key> ? parameters : parameters + 1;
}

template <class Key>
int start_encapsulation(void* of, void* key, const OSSL_PARAM parameters[]) noexcept {
    auto& operation = *static_cast<Operation<Key>*>(of);
    operation.key = static_cast<const Key*>(key);
    if (!operation.key->has_public()) return refuse(PROV_R_MISSING_KEY, "the key is empty");
    operation.encapsulates = true;
    return set<Key>(of, parameters);
}

template <class Key>
int start_decapsulation(void* of, void* key, const OSSL_PARAM parameters[]) noexcept {
    auto& operation = *static_cast<Operation<Key>*>(of);
    operation.key = static_cast<const Key*>(key);
    if (!operation.key->has_private()) return refuse(PROV_R_MISSING_KEY, "the key is not private");
    operation.encapsulates = false;
    return set<Key>(of, parameters);
}

template <class Key>
int encapsulate(void* of, unsigned char* ciphertext, std::size_t* ciphertext_size,
                unsigned char* secret, std::size_t* secret_size) noexcept {
    constexpr const Kem& row = Key::row;
    auto& operation = *static_cast<Operation<Key>*>(of);
    if (ciphertext == nullptr) {
        return tell_sizes(ciphertext_size, row.ciphertext_size, secret_size,
                          row.shared_secret_size);
    }
    if (!is_running(operation.key->context())) return 0;
    // Entropy that was set is good for one encapsulation, also for one that fails.
    std::optional<Entropy> entropy = std::exchange(operation.entropy, std::nullopt);
    if (!has_room(ciphertext, ciphertext_size, row.ciphertext_size) ||
        !has_room(secret, secret_size, row.shared_secret_size)) {
        return 0;
    }
    if (!entropy && !draw_private(operation.key->context(), entropy.emplace().expose_to_fill(),
                                  row.security_bits)) {
        return 0;
    }
    return operation.key->encapsulate(
        std::span<std::uint8_t, row.shared_secret_size>(secret, row.shared_secret_size),
        std::span<std::uint8_t, row.ciphertext_size>(ciphertext, row.ciphertext_size),
        entropy->expose());
}

template <class Key>
int decapsulate(void* of, unsigned char* secret, std::size_t* secret_size,
                const unsigned char* ciphertext, std::size_t ciphertext_size) noexcept {
    constexpr const Kem& row = Key::row;
    const auto& operation = *static_cast<Operation<Key>*>(of);
    if (secret == nullptr) return tell_sizes(nullptr, 0, secret_size, row.shared_secret_size);
    if (!is_running(operation.key->context())) return 0;
    std::size_t assumed = row.shared_secret_size;  // older callers give no length
    if (!has_room(secret, secret_size == nullptr ? &assumed : secret_size,
                  row.shared_secret_size)) {
        return 0;
    }
    if (ciphertext == nullptr || ciphertext_size != row.ciphertext_size) {
        return refuse(PROV_R_WRONG_CIPHERTEXT_SIZE, "the ciphertext has the wrong length");
    }
    return operation.key->decapsulate(
        std::span<std::uint8_t, row.shared_secret_size>(secret, row.shared_secret_size),
        std::span<const std::uint8_t, row.ciphertext_size>(ciphertext, row.ciphertext_size));
}

template <class Key>
const OSSL_DISPATCH functions[] = {
    QUOIN_ENTRY(KEM_NEWCTX, kem_newctx, create<Key>),
    QUOIN_ENTRY(KEM_FREECTX, kem_freectx, destroy<Key>),
    QUOIN_ENTRY(KEM_ENCAPSULATE_INIT, kem_encapsulate_init, start_encapsulation<Key>),
    QUOIN_ENTRY(KEM_ENCAPSULATE, kem_encapsulate, encapsulate<Key>),
    QUOIN_ENTRY(KEM_DECAPSULATE_INIT, kem_decapsulate_init, start_decapsulation<Key>),
    QUOIN_ENTRY(KEM_DECAPSULATE, kem_decapsulate, decapsulate<Key>),
    QUOIN_ENTRY(KEM_SET_CTX_PARAMS, kem_set_ctx_params, set<Key>),
    QUOIN_ENTRY(KEM_SETTABLE_CTX_PARAMS, kem_settable_ctx_params, settable<Key>),
    OSSL_DISPATCH_END};

template <class Key>
constexpr OSSL_ALGORITHM row = {Key::row.names, properties, functions<Key>, Key::row.name};

}  // namespace

const std::array<OSSL_ALGORITHM, 4> kem_operations = {
    row<MlKemKey<core::ml_kem::Set512>>, row<MlKemKey<core::ml_kem::Set768>>,
    row<MlKemKey<core::ml_kem::Set1024>>, row<X25519MlKem768Key>};

}  // namespace quoin::provider
