// Signatures of ML-DSA: provider-signature(7), with the parameters of the default provider
// (EVP_SIGNATURE-ML-DSA(7)): "context-string", "message-encoding", "mu", "deterministic",
// "test-entropy", and "signature" for a verification in parts.
#include <optional>

#include "core/crypto/keccak/keccak.hpp"
#include "provider/operations.hpp"
#include "provider/signature_context.hpp"

namespace quoin::provider {
namespace {

using core::ml_dsa::Mu;
using Hash = core::keccak::Shake256<>;

enum class Operation { none, one_shot, sign_parts, verify_parts };

template <class Form>
struct MlDsaContext : SignatureContext<Form> {
    int message_encoding = 1;  // 0: the caller has made M', FIPS 204, Algorithm 2, line 10
    int is_mu = 0;             // the message is mu
    Operation operation = Operation::none;
    std::optional<Hash> hash = std::nullopt;  // of the parts that came
    std::array<std::uint8_t, Form::signature_size> signature = {};
    std::size_t signature_size = 0;

    // FIPS 204, Algorithm 7, line 6: mu = H(tr | M'), up to where the message begins.
    template <class Begun = Hash>
    Begun begin_hash() const {
        Begun begun;
        begun.absorb(this->key->public_key_hash().bytes);
        if (message_encoding != 0) {
            const std::array<std::uint8_t, 2> head{0,
                                                   static_cast<std::uint8_t>(this->context_size)};
            begun.absorb(head).absorb(this->context().bytes());
        }
        return begun;
    }
    std::optional<Mu> mu_of(Bytes message) const {
        Mu mu{};
        if (is_mu != 0) {
            if (message.size() != mu.bytes.size()) {
                refuse(PROV_R_INVALID_DIGEST_LENGTH, "mu has 64 bytes");
                return std::nullopt;
            }
            std::ranges::copy(message, mu.bytes.begin());
            return mu;
        }
        with_backend(this->provider, [&]<class B>() {
            begin_hash<core::keccak::Shake256<B>>().absorb(message).squeeze(mu.bytes);
        });
        return mu;
    }
};

template <class Form>
MlDsaContext<Form>& of(void* context) {
    return *static_cast<MlDsaContext<Form>*>(context);
}

template <class Form>
void* create(void* provider_context, const char*) noexcept {
    const ProviderContext& context = context_of(provider_context);
    return is_running(context) ? give_away<MlDsaContext<Form>>(SignatureContext<Form>{context})
                               : nullptr;
}

template <class Form>
void* duplicate(void* context) noexcept {
    return give_away<MlDsaContext<Form>>(of<Form>(context));
}

template <class Form>
void destroy(void* context) noexcept {
    if (context != nullptr) core::ct::wipe(of<Form>(context).test_entropy);
    take_back<MlDsaContext<Form>>(context);
}

template <class Form>
bool set_signature(MlDsaContext<Form>& own, const OSSL_PARAM parameters[]) {
    if (own.operation != Operation::verify_parts || parameters == nullptr ||
        OSSL_PARAM_locate_const(parameters, OSSL_SIGNATURE_PARAM_SIGNATURE) == nullptr) {
        return true;
    }
    own.signature_size = 0;
    const auto given = octets(parameters, OSSL_SIGNATURE_PARAM_SIGNATURE);
    if (!given || given->size() != own.signature.size()) {
        return refuse(PROV_R_INVALID_SIGNATURE_SIZE, "a signature of the wrong length");
    }
    std::ranges::copy(*given, own.signature.begin());
    own.signature_size = given->size();
    return true;
}

template <class Form>
int set(void* context, const OSSL_PARAM parameters[]) noexcept {
    if (context == nullptr) return 0;
    auto& own = of<Form>(context);
    return own.set_common(parameters) &&
                   read_int(parameters, OSSL_SIGNATURE_PARAM_MESSAGE_ENCODING,
                            own.message_encoding) &&
                   read_int(parameters, OSSL_SIGNATURE_PARAM_MU, own.is_mu) &&
                   set_signature(own, parameters)
               ? 1
               : 0;
}

template <class Form, Operation operation>
int start(void* context, void* key, const OSSL_PARAM parameters[]) noexcept {
    auto& own = of<Form>(context);
    if (!own.set_key(key)) return 0;
    own.is_mu = 0;
    own.operation = operation;
    own.hash.reset();
    return set<Form>(context, parameters);
}

template <class Form>
int start_digest(void* context, const char* digest, void* key,
                 const OSSL_PARAM parameters[]) noexcept {
    if (digest != nullptr && *digest != '\0') {
        return refuse(PROV_R_INVALID_DIGEST, "ML-DSA takes no digest");
    }
    return start<Form, Operation::one_shot>(context, key, parameters);
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
        if (own.is_mu != 0 || own.message_encoding != 1) {
            return refuse(ERR_R_UNSUPPORTED, "a store of keys signs messages, and no mu");
        }
        return own.sign_remote(Bytes(message, message_size), signature, size, room);
    }
    const auto mu = own.mu_of(Bytes(message, message_size));
    return mu ? own.sign(*mu, signature, size, room) : 0;
}

template <class Form>
int verify(void* context, const unsigned char* signature, std::size_t size,
           const unsigned char* message, std::size_t message_size) noexcept {
    auto& own = of<Form>(context);
    const auto mu = own.mu_of(Bytes(message, message_size));
    return mu ? own.verify(*mu, Bytes(signature, size)) : 0;
}

template <class Form>
int absorb(void* context, const unsigned char* part, std::size_t size) noexcept {
    auto& own = of<Form>(context);
    if (own.is_mu != 0) return 0;
    if (own.operation == Operation::sign_parts && own.key->remote() != nullptr) {
        return refuse(ERR_R_UNSUPPORTED, "a store of keys signs whole messages");
    }
    if (!own.hash) own.hash = own.begin_hash();
    own.hash->absorb(Bytes(part, size));
    return 1;
}

template <class Form>
int finish_signing(void* context, unsigned char* signature, std::size_t* size,
                   std::size_t room) noexcept {
    auto& own = of<Form>(context);
    if (!own.hash) return 0;
    if (signature == nullptr) {
        *size = Form::signature_size;
        return 1;
    }
    Mu mu{};
    own.hash->squeeze(mu.bytes);
    own.hash.reset();
    return own.sign(mu, signature, size, room);
}

template <class Form>
int finish_verifying(void* context) noexcept {
    auto& own = of<Form>(context);
    if (!own.hash) return 0;
    Mu mu{};
    own.hash->squeeze(mu.bytes);
    own.hash.reset();
    return own.verify(mu, Bytes(own.signature).first(own.signature_size));
}

template <class Form>
const OSSL_PARAM* settable(void* context, void*) noexcept {
    static const OSSL_PARAM parameters[] = {
        OSSL_PARAM_octet_string(OSSL_SIGNATURE_PARAM_SIGNATURE, nullptr, 0),
        OSSL_PARAM_octet_string(OSSL_SIGNATURE_PARAM_CONTEXT_STRING, nullptr, 0),
        OSSL_PARAM_octet_string(OSSL_SIGNATURE_PARAM_TEST_ENTROPY, nullptr, 0),
        OSSL_PARAM_int(OSSL_SIGNATURE_PARAM_DETERMINISTIC, nullptr),
        OSSL_PARAM_int(OSSL_SIGNATURE_PARAM_MESSAGE_ENCODING, nullptr),
        OSSL_PARAM_int(OSSL_SIGNATURE_PARAM_MU, nullptr),
        OSSL_PARAM_END};
    const bool verifies_parts =
        context != nullptr && of<Form>(context).operation == Operation::verify_parts;
    return verifies_parts ? parameters : parameters + 1;
}

template <class Form>
const OSSL_DISPATCH functions[] = {
    QUOIN_ENTRY(SIGNATURE_NEWCTX, signature_newctx, create<Form>),
    QUOIN_ENTRY(SIGNATURE_FREECTX, signature_freectx, destroy<Form>),
    QUOIN_ENTRY(SIGNATURE_DUPCTX, signature_dupctx, duplicate<Form>),
    QUOIN_ENTRY(SIGNATURE_SIGN_MESSAGE_INIT, signature_sign_message_init,
                (start<Form, Operation::sign_parts>)),
    QUOIN_ENTRY(SIGNATURE_SIGN_MESSAGE_UPDATE, signature_sign_message_update, absorb<Form>),
    QUOIN_ENTRY(SIGNATURE_SIGN_MESSAGE_FINAL, signature_sign_message_final, finish_signing<Form>),
    QUOIN_ENTRY(SIGNATURE_SIGN, signature_sign, sign<Form>),
    QUOIN_ENTRY(SIGNATURE_VERIFY_MESSAGE_INIT, signature_verify_message_init,
                (start<Form, Operation::verify_parts>)),
    QUOIN_ENTRY(SIGNATURE_VERIFY_MESSAGE_UPDATE, signature_verify_message_update, absorb<Form>),
    QUOIN_ENTRY(SIGNATURE_VERIFY_MESSAGE_FINAL, signature_verify_message_final,
                finish_verifying<Form>),
    QUOIN_ENTRY(SIGNATURE_VERIFY, signature_verify, verify<Form>),
    QUOIN_ENTRY(SIGNATURE_DIGEST_SIGN_INIT, signature_digest_sign_init, start_digest<Form>),
    QUOIN_ENTRY(SIGNATURE_DIGEST_SIGN, signature_digest_sign, sign<Form>),
    QUOIN_ENTRY(SIGNATURE_DIGEST_VERIFY_INIT, signature_digest_verify_init, start_digest<Form>),
    QUOIN_ENTRY(SIGNATURE_DIGEST_VERIFY, signature_digest_verify, verify<Form>),
    QUOIN_ENTRY(SIGNATURE_SET_CTX_PARAMS, signature_set_ctx_params, set<Form>),
    QUOIN_ENTRY(SIGNATURE_SETTABLE_CTX_PARAMS, signature_settable_ctx_params, settable<Form>),
    QUOIN_ENTRY(SIGNATURE_GET_CTX_PARAMS, signature_get_ctx_params, answer_algorithm_id<Form>),
    QUOIN_ENTRY(SIGNATURE_GETTABLE_CTX_PARAMS, signature_gettable_ctx_params,
                gettable_algorithm_id),
    OSSL_DISPATCH_END};

template <class Form>
constexpr OSSL_ALGORITHM entry = {Form::row.names, properties, functions<Form>, Form::row.name};

}  // namespace

const std::array<OSSL_ALGORITHM, 3> ml_dsa_signatures = {entry<MlDsa<core::ml_dsa::Set44>>,
                                                         entry<MlDsa<core::ml_dsa::Set65>>,
                                                         entry<MlDsa<core::ml_dsa::Set87>>};

}  // namespace quoin::provider
