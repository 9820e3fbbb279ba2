// Signatures of the composites: provider-signature(7). Whole messages only: both halves sign a hash
// of the message that the algorithm fixes. Parameters: "context-string", "deterministic" and
// "test-entropy" (ML-DSA's half; Ed25519's is always deterministic).
#include "provider/operations.hpp"
#include "provider/signature_context.hpp"

namespace quoin::provider {
namespace {

template <class Form>
SignatureContext<Form>& of(void* context) {
    return *static_cast<SignatureContext<Form>*>(context);
}

template <class Form>
void* create(void* provider_context, const char*) noexcept {
    const ProviderContext& context = context_of(provider_context);
    return is_running(context) ? give_away<SignatureContext<Form>>(context) : nullptr;
}

template <class Form>
void* duplicate(void* context) noexcept {
    return give_away<SignatureContext<Form>>(of<Form>(context));
}

template <class Form>
void destroy(void* context) noexcept {
    if (context != nullptr) core::ct::wipe(of<Form>(context).test_entropy);
    take_back<SignatureContext<Form>>(context);
}

template <class Form>
int set(void* context, const OSSL_PARAM parameters[]) noexcept {
    return context != nullptr && of<Form>(context).set_common(parameters) ? 1 : 0;
}

template <class Form>
int start(void* context, void* key, const OSSL_PARAM parameters[]) noexcept {
    return of<Form>(context).set_key(key) ? set<Form>(context, parameters) : 0;
}

// CMS names a digest for the content, and hands it on: the algorithm's own may be named.
bool is_inherent_digest(const char* digest) {
    const std::string_view name = digest == nullptr ? "" : digest;
    return name.empty() || name == "SHA512" || name == "SHA2-512" || name == "sha512";
}

template <class Form>
int start_digest(void* context, const char* digest, void* key,
                 const OSSL_PARAM parameters[]) noexcept {
    if (!is_inherent_digest(digest)) {
        return refuse(PROV_R_INVALID_DIGEST, "composites hash with SHA-512 and no other digest");
    }
    return start<Form>(context, key, parameters);
}

template <class Form>
int sign(void* context, unsigned char* signature, std::size_t* size, std::size_t room,
         const unsigned char* message, std::size_t message_size) noexcept {
    auto& own = of<Form>(context);
    if (signature == nullptr) {
        *size = Form::signature_size;
        return 1;
    }
    if (own.key->remote() != nullptr) {
        return own.sign_remote(Bytes(message, message_size), signature, size, room);
    }
    return own.sign({Bytes(message, message_size), own.context()}, signature, size, room);
}

template <class Form>
int verify(void* context, const unsigned char* signature, std::size_t size,
           const unsigned char* message, std::size_t message_size) noexcept {
    auto& own = of<Form>(context);
    return own.verify({Bytes(message, message_size), own.context()}, Bytes(signature, size));
}

const OSSL_PARAM* settable(void*, void*) noexcept {
    static const OSSL_PARAM parameters[] = {
        OSSL_PARAM_octet_string(OSSL_SIGNATURE_PARAM_CONTEXT_STRING, nullptr, 0),
        OSSL_PARAM_octet_string(OSSL_SIGNATURE_PARAM_TEST_ENTROPY, nullptr, 0),
        OSSL_PARAM_int(OSSL_SIGNATURE_PARAM_DETERMINISTIC, nullptr), OSSL_PARAM_END};
    return parameters;
}

template <class Form>
const OSSL_DISPATCH functions[] = {
    QUOIN_ENTRY(SIGNATURE_NEWCTX, signature_newctx, create<Form>),
    QUOIN_ENTRY(SIGNATURE_FREECTX, signature_freectx, destroy<Form>),
    QUOIN_ENTRY(SIGNATURE_DUPCTX, signature_dupctx, duplicate<Form>),
    QUOIN_ENTRY(SIGNATURE_SIGN_MESSAGE_INIT, signature_sign_message_init, start<Form>),
    QUOIN_ENTRY(SIGNATURE_SIGN, signature_sign, sign<Form>),
    QUOIN_ENTRY(SIGNATURE_VERIFY_MESSAGE_INIT, signature_verify_message_init, start<Form>),
    QUOIN_ENTRY(SIGNATURE_VERIFY, signature_verify, verify<Form>),
    QUOIN_ENTRY(SIGNATURE_DIGEST_SIGN_INIT, signature_digest_sign_init, start_digest<Form>),
    QUOIN_ENTRY(SIGNATURE_DIGEST_SIGN, signature_digest_sign, sign<Form>),
    QUOIN_ENTRY(SIGNATURE_DIGEST_VERIFY_INIT, signature_digest_verify_init, start_digest<Form>),
    QUOIN_ENTRY(SIGNATURE_DIGEST_VERIFY, signature_digest_verify, verify<Form>),
    QUOIN_ENTRY(SIGNATURE_SET_CTX_PARAMS, signature_set_ctx_params, set<Form>),
    QUOIN_ENTRY(SIGNATURE_SETTABLE_CTX_PARAMS, signature_settable_ctx_params, settable),
    QUOIN_ENTRY(SIGNATURE_GET_CTX_PARAMS, signature_get_ctx_params, answer_algorithm_id<Form>),
    QUOIN_ENTRY(SIGNATURE_GETTABLE_CTX_PARAMS, signature_gettable_ctx_params,
                gettable_algorithm_id),
    OSSL_DISPATCH_END};

template <class Form>
constexpr OSSL_ALGORITHM entry = {Form::row.names, properties, functions<Form>, Form::row.name};

}  // namespace

const std::array<OSSL_ALGORITHM, 2> composite_signatures = {
    entry<Composite<core::hybrid::MlDsa44Ed25519>>, entry<Composite<core::hybrid::MlDsa65Ed25519>>};

}  // namespace quoin::provider
