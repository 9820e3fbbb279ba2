// The entry of quoin.so: provider(7), provider-base(7). One context for each loading; what is
// served is put together here from the files of the operations.
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/provider.h>

#include "host/crypto/processor.hpp"
#include "provider/context.hpp"
#include "provider/dispatch.hpp"
#include "provider/operations.hpp"
#include "provider/self_test.hpp"
#include "provider/settings.hpp"

namespace quoin::provider {
namespace {

constexpr OSSL_ALGORITHM end = {nullptr, nullptr, nullptr, nullptr};

// The rows of some operations, and the empty one that ends them.
template <std::size_t... Sizes>
auto joined(const std::array<OSSL_ALGORITHM, Sizes>&... parts) {
    std::array<OSSL_ALGORITHM, (Sizes + ... + 1)> all{};
    std::size_t at = 0;
    ((std::ranges::copy(parts, all.begin() + at), at += Sizes), ...);
    all[at] = end;
    return all;
}

const OSSL_ALGORITHM* query(void* context, int operation, int* no_cache) noexcept {
    *no_cache = 0;
    if (context_of(context).stopped) return nullptr;
    static const auto keymgmts = joined(kem_keymgmts, signature_keymgmts);
    static const auto signatures = joined(ml_dsa_signatures, composite_signatures);
    static const auto encoders = joined(composite44_encoders, composite65_encoders);
    static const auto decoders = joined(signature_decoders);
    static const auto kems = joined(kem_operations);
    switch (operation) {
        case OSSL_OP_KEYMGMT:
            return keymgmts.data();
        case OSSL_OP_KEM:
            return kems.data();
        case OSSL_OP_SIGNATURE:
            return signatures.data();
        case OSSL_OP_ENCODER:
            return encoders.data();
        case OSSL_OP_DECODER:
            return decoders.data();
        default:
            return nullptr;
    }
}

constexpr const char* backend_parameter = "quoin-backend";

const char* name_of(Backend backend) {
    switch (backend) {
        case Backend::avx512:
            return "avx512";
        case Backend::avx2:
            return "avx2";
        case Backend::portable:
            break;
    }
    return "portable";
}

const OSSL_PARAM* gettable(void*) noexcept {
    static const OSSL_PARAM parameters[] = {
        OSSL_PARAM_utf8_ptr(OSSL_PROV_PARAM_NAME, nullptr, 0),
        OSSL_PARAM_utf8_ptr(OSSL_PROV_PARAM_VERSION, nullptr, 0),
        OSSL_PARAM_int(OSSL_PROV_PARAM_STATUS, nullptr),
        OSSL_PARAM_utf8_ptr(backend_parameter, nullptr, 0), OSSL_PARAM_END};
    return parameters;
}

int get(void* context, OSSL_PARAM parameters[]) noexcept {
    const auto answer = [&](const char* name, const char* value) {
        OSSL_PARAM* const asked = OSSL_PARAM_locate(parameters, name);
        return asked == nullptr || OSSL_PARAM_set_utf8_ptr(asked, value) == 1;
    };
    OSSL_PARAM* const status = OSSL_PARAM_locate(parameters, OSSL_PROV_PARAM_STATUS);
    return answer(OSSL_PROV_PARAM_NAME, "Quoin provider") &&
                   answer(OSSL_PROV_PARAM_VERSION, QUOIN_VERSION) &&
                   answer(backend_parameter, name_of(context_of(context).backend)) &&
                   (status == nullptr ||
                    OSSL_PARAM_set_int(status, context_of(context).stopped ? 0 : 1) == 1)
               ? 1
               : 0;
}

int capabilities(void* context, const char* capability, OSSL_CALLBACK* take,
                 void* argument) noexcept {
    if (std::string_view(capability) == "TLS-SIGALG") {
        return tell_signatures(context_of(context).code_points, take, argument);
    }
    return tell_capability(capability, take, argument);
}

// On demand: OSSL_PROVIDER_self_test().
int self_test(void* context) noexcept {
    const ProviderContext& own = context_of(context);
    own.hybrid_tested = false;
    return is_running(own) && test_known_answers(own) && test_hybrid(own) ? 1 : 0;
}

void tear_down(void* context) noexcept { take_back<ProviderContext>(context); }

const OSSL_DISPATCH functions[] = {
    QUOIN_ENTRY(PROVIDER_TEARDOWN, provider_teardown, tear_down),
    QUOIN_ENTRY(PROVIDER_GETTABLE_PARAMS, provider_gettable_params, gettable),
    QUOIN_ENTRY(PROVIDER_GET_PARAMS, provider_get_params, get),
    QUOIN_ENTRY(PROVIDER_QUERY_OPERATION, provider_query_operation, query),
    QUOIN_ENTRY(PROVIDER_GET_CAPABILITIES, provider_get_capabilities, capabilities),
    QUOIN_ENTRY(PROVIDER_SELF_TEST, provider_self_test, self_test),
    OSSL_DISPATCH_END};

Backend pick_backend() {
    const crypto::Processor& processor = crypto::processor();
    if (processor.avx512) return Backend::avx512;
    return processor.avx2 ? Backend::avx2 : Backend::portable;
}

// In our programs (host/crypto/entropy); in others OpenSSL's own source seeds this context.
bool take_tested_seeds(OSSL_LIB_CTX* library) {
    constexpr const char* source = "QUOIN-SEED-SRC";
    ERR_set_mark();
    EVP_RAND* const found = EVP_RAND_fetch(library, source, nullptr);
    ERR_pop_to_mark();
    if (found == nullptr) return true;
    EVP_RAND_free(found);
    return RAND_set_seed_source_type(library, source, nullptr) == 1;
}

int initialize(const OSSL_CORE_HANDLE* core, const OSSL_DISPATCH* from_core,
               const OSSL_DISPATCH** to_core, void** context) noexcept {
    const std::optional<CodePoints> code_points = read_code_points(core, from_core);
    if (!code_points || !name_objects(core, from_core)) return 0;
    LibraryContext library(OSSL_LIB_CTX_new_child(core, from_core));
    if (library == nullptr) return 0;  // OpenSSL has queued why
    if (!take_tested_seeds(library.get())) return 0;
    *context = give_away<ProviderContext>(core, std::move(library), pick_backend(), *code_points);
    *to_core = functions;
    if (*context == nullptr) return 0;
    if (test_known_answers(context_of(*context))) return 1;
    tear_down(*context);
    return 0;
}

}  // namespace
}  // namespace quoin::provider

// tidy: allow(extern-c-noexcept) because OpenSSL's header declares it without
extern "C" int OSSL_provider_init(const OSSL_CORE_HANDLE* core, const OSSL_DISPATCH* from_core,
                                  const OSSL_DISPATCH** to_core, void** context) {
    return quoin::provider::initialize(core, from_core, to_core, context);
}
