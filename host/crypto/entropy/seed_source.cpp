#include "host/crypto/entropy/seed_source.hpp"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/rand.h>

#include <algorithm>
#include <memory>
#include <new>

#include "host/crypto/entropy/source.hpp"

namespace quoin::crypto::entropy {
namespace {

constexpr unsigned strength_bits = 1024;  // as OpenSSL's own: of any DRBG
constexpr std::size_t max_request = 128;

// There is one source in the process: a context of it has no state but this.
struct Context {
    int state = EVP_RAND_STATE_UNINITIALISED;
};

Context& of(void* context) { return *static_cast<Context*>(context); }

void* create(void*, void* parent, const OSSL_DISPATCH*) noexcept {
    if (parent != nullptr) return nullptr;  // it is the root of the others
    return std::unique_ptr<Context>(new (std::nothrow) Context).release();
}
void destroy(void* context) noexcept { std::unique_ptr<Context>(&of(context)).reset(); }

int instantiate(void* context, unsigned, int, const unsigned char*, std::size_t,
                const OSSL_PARAM*) noexcept {
    of(context).state = EVP_RAND_STATE_READY;
    return 1;
}
int uninstantiate(void* context) noexcept {
    of(context).state = EVP_RAND_STATE_UNINITIALISED;
    return 1;
}

int generate(void* context, unsigned char* out, std::size_t size, unsigned, int,
             const unsigned char*, std::size_t) noexcept {
    if (of(context).state == EVP_RAND_STATE_READY && draw({out, size})) return 1;
    of(context).state = EVP_RAND_STATE_ERROR;
    return 0;
}

std::size_t get_seed(void* context, unsigned char** out, int entropy_bits, std::size_t least,
                     std::size_t most, int, const unsigned char*, std::size_t) noexcept {
    const std::size_t wanted =
        static_cast<std::size_t>(std::max(entropy_bits, 0)) / bits_of_a_sample;
    const std::size_t size = std::max(wanted, least);
    if (size > most) return 0;
    auto* const seed = static_cast<unsigned char*>(OPENSSL_malloc(size));
    if (seed == nullptr) return 0;
    if (generate(context, seed, size, 0, 0, nullptr, 0) == 1) {
        *out = seed;
        return size;
    }
    OPENSSL_free(seed);
    return 0;
}

void clear_seed(void*, unsigned char* seed, std::size_t size) noexcept {
    OPENSSL_clear_free(seed, size);
}

// The source has a lock of its own.
int lock(void*) noexcept { return 1; }
void unlock(void*) noexcept {}

int get(void* context, OSSL_PARAM parameters[]) noexcept {
    OSSL_PARAM* const state = OSSL_PARAM_locate(parameters, OSSL_RAND_PARAM_STATE);
    OSSL_PARAM* const strength = OSSL_PARAM_locate(parameters, OSSL_RAND_PARAM_STRENGTH);
    OSSL_PARAM* const most = OSSL_PARAM_locate(parameters, OSSL_RAND_PARAM_MAX_REQUEST);
    return (state == nullptr || OSSL_PARAM_set_int(state, of(context).state) == 1) &&
                   (strength == nullptr || OSSL_PARAM_set_uint(strength, strength_bits) == 1) &&
                   (most == nullptr || OSSL_PARAM_set_size_t(most, max_request) == 1)
               ? 1
               : 0;
}

const OSSL_PARAM* gettable(void*, void*) noexcept {
    static const OSSL_PARAM parameters[] = {OSSL_PARAM_int(OSSL_RAND_PARAM_STATE, nullptr),
                                            OSSL_PARAM_uint(OSSL_RAND_PARAM_STRENGTH, nullptr),
                                            OSSL_PARAM_size_t(OSSL_RAND_PARAM_MAX_REQUEST, nullptr),
                                            OSSL_PARAM_END};
    return parameters;
}

template <class Function>
constexpr OSSL_DISPATCH entry(int id, Function* function) {
    return {id, reinterpret_cast<void (*)()>(function)};
}

const OSSL_ALGORITHM* query(void*, int operation, int* no_cache) noexcept {
    static const OSSL_DISPATCH functions[] = {
        entry<OSSL_FUNC_rand_newctx_fn>(OSSL_FUNC_RAND_NEWCTX, create),
        entry<OSSL_FUNC_rand_freectx_fn>(OSSL_FUNC_RAND_FREECTX, destroy),
        entry<OSSL_FUNC_rand_instantiate_fn>(OSSL_FUNC_RAND_INSTANTIATE, instantiate),
        entry<OSSL_FUNC_rand_uninstantiate_fn>(OSSL_FUNC_RAND_UNINSTANTIATE, uninstantiate),
        entry<OSSL_FUNC_rand_generate_fn>(OSSL_FUNC_RAND_GENERATE, generate),
        entry<OSSL_FUNC_rand_get_seed_fn>(OSSL_FUNC_RAND_GET_SEED, get_seed),
        entry<OSSL_FUNC_rand_clear_seed_fn>(OSSL_FUNC_RAND_CLEAR_SEED, clear_seed),
        entry<OSSL_FUNC_rand_enable_locking_fn>(OSSL_FUNC_RAND_ENABLE_LOCKING, lock),
        entry<OSSL_FUNC_rand_lock_fn>(OSSL_FUNC_RAND_LOCK, lock),
        entry<OSSL_FUNC_rand_unlock_fn>(OSSL_FUNC_RAND_UNLOCK, unlock),
        entry<OSSL_FUNC_rand_get_ctx_params_fn>(OSSL_FUNC_RAND_GET_CTX_PARAMS, get),
        entry<OSSL_FUNC_rand_gettable_ctx_params_fn>(OSSL_FUNC_RAND_GETTABLE_CTX_PARAMS, gettable),
        OSSL_DISPATCH_END};
    static const OSSL_ALGORITHM algorithms[] = {
        {seed_source_name, "provider=quoin-entropy", functions, "tested samples of the system"},
        {nullptr, nullptr, nullptr, nullptr}};
    *no_cache = 0;
    return operation == OSSL_OP_RAND ? algorithms : nullptr;
}

int initialize(const OSSL_CORE_HANDLE*, const OSSL_DISPATCH*, const OSSL_DISPATCH** to_core,
               void** context) noexcept {
    static const OSSL_DISPATCH functions[] = {
        entry<OSSL_FUNC_provider_query_operation_fn>(OSSL_FUNC_PROVIDER_QUERY_OPERATION, query),
        OSSL_DISPATCH_END};
    static int nothing = 0;
    *context = &nothing;
    *to_core = functions;
    return 1;
}

}  // namespace

bool seed(OSSL_LIB_CTX* library) {
    return OSSL_PROVIDER_add_builtin(library, "quoin-entropy", initialize) == 1 &&
           OSSL_PROVIDER_load(library, "quoin-entropy") != nullptr &&
           RAND_set_seed_source_type(library, seed_source_name, nullptr) == 1;
}

}  // namespace quoin::crypto::entropy
