// Keys of ML-DSA and of the composites: provider-keymgmt(7). ML-DSA takes, gives and refuses what
// the default provider does (EVP_PKEY-ML-DSA(7)) with its settings as they are when not configured:
// the seed is kept, and preferred to the private key beside it, which must agree with it. A
// composite's private key is its 64 bytes of seeds (parameter "priv", "seed" when generating).
#include <openssl/evp.h>

#include "provider/operations.hpp"
#include "provider/parameters.hpp"
#include "provider/self_test.hpp"
#include "provider/signature_key.hpp"

namespace quoin::provider {
namespace {

constexpr int keypair = OSSL_KEYMGMT_SELECT_KEYPAIR;
constexpr int private_part = OSSL_KEYMGMT_SELECT_PRIVATE_KEY;
constexpr int public_part = OSSL_KEYMGMT_SELECT_PUBLIC_KEY;

template <class Form>
const SignatureKey<Form>& key_of(const void* key) {
    return *static_cast<const SignatureKey<Form>*>(key);
}

template <class Form>
void* create(void* provider_context) noexcept {
    const ProviderContext& context = context_of(provider_context);
    return is_running(context) ? give_away<SignatureKey<Form>>(context) : nullptr;
}

template <class Form>
void destroy(void* key) noexcept {
    take_back<SignatureKey<Form>>(key);
}

template <class Form>
int has(const void* key, int selection) noexcept {
    if (key == nullptr) return 0;
    if ((selection & private_part) != 0 && !key_of<Form>(key).has_private()) return 0;
    return (selection & public_part) == 0 || key_of<Form>(key).has_public() ? 1 : 0;
}

template <class Form>
int match(const void* first, const void* second, int selection) noexcept {
    if (first == nullptr || second == nullptr) return 0;
    if ((selection & keypair) == 0) return 1;
    const auto& a = key_of<Form>(first);
    const auto& b = key_of<Form>(second);
    // The public key is there whenever the private one is, and decides.
    return a.has_public() && b.has_public() && std::ranges::equal(a.public_key(), b.public_key())
               ? 1
               : 0;
}

// Does what the private half signs verify with the public one?
template <class Form>
bool is_consistent(const SignatureKey<Form>& key) {
    std::array<std::uint8_t, Form::signature_size> signature{};
    return key.sign({}, core::ml_dsa::deterministic, signature) && key.verify({}, signature);
}

template <class Form>
int validate(const void* key, int selection, int) noexcept {
    if (has<Form>(key, selection) == 0) return 0;
    // What a store holds is not asked to sign for this: its uses may be counted.
    if ((selection & keypair) != keypair || !key_of<Form>(key).holds_private()) return 1;
    if (is_consistent(key_of<Form>(key))) return 1;
    return refuse(PROV_R_INVALID_KEY, "the private key does not belong to the public one");
}

template <class Form>
void* duplicate(const void* source, int selection) noexcept {
    const auto& from = key_of<Form>(source);
    auto* const copy = give_away<SignatureKey<Form>>(from.context());
    if (copy == nullptr || (selection & keypair) == 0 || !from.has_public()) return copy;
    bool copied = true;
    if ((selection & private_part) == 0 || !from.has_private()) {
        copy->set_public(from.public_key());
    } else if (from.remote() != nullptr) {
        copy->set_remote(from.public_key(), from.remote());
    } else if (from.has_seed()) {
        copied = copy->set_seed(from.seed());
    } else if constexpr (Form::is_expanded) {
        copied = copy->set_expanded(from.private_key(), from.public_key());
    }
    if (copied) return copy;
    destroy<Form>(copy);
    return nullptr;
}

// What an import brings. Lengths are right, or zero.
struct Parts {
    Bytes seed;
    Bytes expanded;
    Bytes public_key;
};

template <class Form>
bool read_parts(Parts& parts, int selection, const OSSL_PARAM parameters[]) {
    const auto read = [&](Bytes& into, const char* name, std::size_t size, int reason) {
        const auto found = octets(parameters, name);
        if (!found) return false;
        if (!found->empty() && found->size() != size) {
            return refuse(reason, "a part of the key has the wrong length");
        }
        into = *found;
        return true;
    };
    constexpr const char* seed_name =
        Form::is_expanded ? OSSL_PKEY_PARAM_ML_DSA_SEED : OSSL_PKEY_PARAM_PRIV_KEY;
    if ((selection & private_part) != 0) {
        if (!read(parts.seed, seed_name, Form::seed_size, PROV_R_INVALID_SEED_LENGTH)) return false;
        if (Form::is_expanded && !read(parts.expanded, OSSL_PKEY_PARAM_PRIV_KEY, Form::private_size,
                                       PROV_R_INVALID_KEY_LENGTH)) {
            return false;
        }
    }
    if (!read(parts.public_key, OSSL_PKEY_PARAM_PUB_KEY, Form::public_key_size,
              PROV_R_INVALID_KEY_LENGTH)) {
        return false;
    }
    if (parts.seed.empty() && parts.expanded.empty() && parts.public_key.empty()) {
        return refuse(PROV_R_MISSING_KEY, "no part of a key to import");
    }
    return true;
}

struct FreeEvp {
    void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};

// The public key of an expanded private one: OpenSSL's own code works it out and refuses a private
// key whose parts disagree. Rare: every key that we make has its seed.
bool derive_public(const ProviderContext& context, const char* name, Bytes expanded,
                   MutableBytes public_key) {
    const std::unique_ptr<EVP_PKEY_CTX, FreeEvp> making(
        EVP_PKEY_CTX_new_from_name(context.library.get(), name, "provider=default"));
    std::array parts = {octets_to_export(OSSL_PKEY_PARAM_PRIV_KEY, expanded),
                        OSSL_PARAM_construct_end()};
    EVP_PKEY* made = nullptr;
    if (making == nullptr || EVP_PKEY_fromdata_init(making.get()) != 1 ||
        EVP_PKEY_fromdata(making.get(), &made, EVP_PKEY_KEYPAIR, parts.data()) != 1) {
        return refuse(PROV_R_INVALID_KEY, "the default provider refuses the private key");
    }
    const std::unique_ptr<EVP_PKEY, FreeEvp> key(made);
    std::size_t size = 0;
    return EVP_PKEY_get_octet_string_param(made, OSSL_PKEY_PARAM_PUB_KEY, public_key.data(),
                                           public_key.size(), &size) == 1 &&
           size == public_key.size();
}

template <class Form>
bool set_expanded(SignatureKey<Form>& key, Bytes expanded) {
    if constexpr (Form::is_expanded) {
        std::array<std::uint8_t, Form::public_key_size> public_key{};
        return derive_public(key.context(), Form::row.name, expanded, public_key) &&
               key.set_expanded(expanded.first<Form::private_size>(), public_key);
    }
    return false;
}

template <class Form>
bool set_parts(SignatureKey<Form>& key, const Parts& parts) {
    if (parts.expanded.empty() && parts.seed.empty()) {
        key.set_public(parts.public_key.first<Form::public_key_size>());
        return true;
    }
    if (!parts.seed.empty()) {
        if (!key.set_seed(parts.seed.first<Form::seed_size>())) return false;
        if (!parts.expanded.empty() && !core::ct::equal(key.private_key(), parts.expanded)) {
            return refuse(PROV_R_INVALID_KEY, "private key and seed disagree");
        }
    } else if (!set_expanded(key, parts.expanded)) {
        return false;
    }
    if (!parts.public_key.empty() && !std::ranges::equal(key.public_key(), parts.public_key)) {
        return refuse(PROV_R_INVALID_KEY, "public and private key disagree");
    }
    return true;
}

template <class Form>
int import_key(void* into, int selection, const OSSL_PARAM parameters[]) noexcept {
    auto* const key = static_cast<SignatureKey<Form>*>(into);
    // A key never changes once it is there.
    if (key == nullptr || (selection & keypair) == 0 || key->has_public()) return 0;
    Parts parts;
    if (!read_parts<Form>(parts, selection, parameters)) return 0;
    if (set_parts(*key, parts)) return 1;
    key->clear();
    return 0;
}

template <class Form>
int export_key(void* from, int selection, OSSL_CALLBACK* take, void* argument) noexcept {
    if (from == nullptr || (selection & keypair) == 0) return 0;
    const auto& key = key_of<Form>(from);
    if (!key.has_public()) return refuse(PROV_R_MISSING_KEY, "an empty key");
    if ((selection & private_part) != 0 && key.remote() != nullptr) {
        return refuse(PROV_R_NOT_A_PRIVATE_KEY, "the private key does not leave its store");
    }
    std::array<OSSL_PARAM, 4> parts{};
    std::size_t count = 0;
    if ((selection & private_part) != 0 && Form::is_expanded && key.has_seed()) {
        parts[count++] = octets_to_export(OSSL_PKEY_PARAM_ML_DSA_SEED, key.seed());
    }
    if ((selection & private_part) != 0 && key.holds_private()) {
        parts[count++] = octets_to_export(OSSL_PKEY_PARAM_PRIV_KEY, key.private_key());
    }
    if ((selection & public_part) != 0) {
        parts[count++] = octets_to_export(OSSL_PKEY_PARAM_PUB_KEY, key.public_key());
    }
    parts[count] = OSSL_PARAM_construct_end();
    return take(parts.data(), argument);
}

template <class Form>
const OSSL_PARAM* parts_of(int selection) noexcept {
    // The seed of a composite is its private key.
    static const OSSL_PARAM parts[] = {
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PRIV_KEY, nullptr, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, nullptr, 0),
        Form::is_expanded
            ? OSSL_PARAM OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ML_DSA_SEED, nullptr, 0)
            : OSSL_PARAM OSSL_PARAM_END,
        OSSL_PARAM_END};
    return (selection & keypair) != 0 ? parts : nullptr;
}

const OSSL_PARAM* gettable(void*) noexcept {
    static const OSSL_PARAM parameters[] = {
        OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, nullptr),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, nullptr),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, nullptr),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_MANDATORY_DIGEST, nullptr, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ML_DSA_SEED, nullptr, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PRIV_KEY, nullptr, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, nullptr, 0),
        OSSL_PARAM_END};
    return parameters;
}

template <class Form>
int get(void* of, OSSL_PARAM parameters[]) noexcept {
    if (of == nullptr) return 0;
    const auto& key = key_of<Form>(of);
    // An empty digest: there is one way to sign, and nobody may ask for another.
    OSSL_PARAM* const digest = OSSL_PARAM_locate(parameters, OSSL_PKEY_PARAM_MANDATORY_DIGEST);
    bool answered =
        answer_int(parameters, OSSL_PKEY_PARAM_BITS, 8 * static_cast<int>(Form::public_key_size)) &&
        answer_int(parameters, OSSL_PKEY_PARAM_SECURITY_BITS,
                   static_cast<int>(Form::row.security_bits)) &&
        answer_int(parameters, OSSL_PKEY_PARAM_MAX_SIZE, static_cast<int>(Form::signature_size)) &&
        (digest == nullptr || OSSL_PARAM_set_utf8_string(digest, "") == 1);
    if (key.has_public()) {
        answered = answered && answer_octets(parameters, OSSL_PKEY_PARAM_PUB_KEY, key.public_key());
    }
    if (key.holds_private()) {
        answered =
            answered && answer_octets(parameters, OSSL_PKEY_PARAM_PRIV_KEY, key.private_key());
    }
    if (Form::is_expanded && key.has_seed()) {
        answered = answered && answer_octets(parameters, OSSL_PKEY_PARAM_ML_DSA_SEED, key.seed());
    }
    return answered ? 1 : 0;
}

template <class Form>
struct Generation {
    const ProviderContext& context;
    core::Secret<struct GenerationSeedTag, Form::seed_size> seed = {};
    bool has_seed = false;
};

template <class Form>
int set_generation(void* generation, const OSSL_PARAM parameters[]) noexcept {
    if (generation == nullptr) return 0;
    if (parameters == nullptr ||
        OSSL_PARAM_locate_const(parameters, OSSL_PKEY_PARAM_ML_DSA_SEED) == nullptr) {
        return 1;
    }
    auto& of = *static_cast<Generation<Form>*>(generation);
    const auto seed = octets(parameters, OSSL_PKEY_PARAM_ML_DSA_SEED);
    of.has_seed = seed && seed->size() == Form::seed_size;
    if (!of.has_seed) return refuse(PROV_R_INVALID_SEED_LENGTH, "a seed of the wrong length");
    std::ranges::copy(*seed, of.seed.expose_to_fill().begin());
    return 1;
}

const OSSL_PARAM* settable_generation(void*, void*) noexcept {
    static const OSSL_PARAM parameters[] = {
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ML_DSA_SEED, nullptr, 0), OSSL_PARAM_END};
    return parameters;
}

template <class Form>
void* start_generation(void* provider_context, int, const OSSL_PARAM parameters[]) noexcept {
    auto* const generation = give_away<Generation<Form>>(context_of(provider_context));
    if (generation == nullptr || set_generation<Form>(generation, parameters) == 1) {
        return generation;
    }
    take_back<Generation<Form>>(generation);
    return nullptr;
}

template <class Form>
void* generate(void* from, OSSL_CALLBACK*, void*) noexcept {
    auto& generation = *static_cast<Generation<Form>*>(from);
    if (!is_running(generation.context)) return nullptr;
    auto* const key = give_away<SignatureKey<Form>>(generation.context);
    if (key == nullptr) return nullptr;
    if ((generation.has_seed ? key->set_seed(generation.seed.expose()) : key->generate()) &&
        judge_pair(generation.context, Form::row.name, is_consistent(*key))) {
        return key;
    }
    destroy<Form>(key);
    return nullptr;
}

template <class Form>
void end_generation(void* generation) noexcept {
    take_back<Generation<Form>>(generation);
}

// A decoder made the key and hands it over: the reference is its address.
template <class Form>
void* load(const void* reference, std::size_t size) noexcept {
    if (size != sizeof(void*)) return nullptr;
    auto* const address = static_cast<void**>(const_cast<void*>(reference));
    return std::exchange(*address, nullptr);
}

template <class Form>
const OSSL_DISPATCH functions[] = {
    QUOIN_ENTRY(KEYMGMT_NEW, keymgmt_new, create<Form>),
    QUOIN_ENTRY(KEYMGMT_FREE, keymgmt_free, destroy<Form>),
    QUOIN_ENTRY(KEYMGMT_LOAD, keymgmt_load, load<Form>),
    QUOIN_ENTRY(KEYMGMT_HAS, keymgmt_has, has<Form>),
    QUOIN_ENTRY(KEYMGMT_MATCH, keymgmt_match, match<Form>),
    QUOIN_ENTRY(KEYMGMT_VALIDATE, keymgmt_validate, validate<Form>),
    QUOIN_ENTRY(KEYMGMT_DUP, keymgmt_dup, duplicate<Form>),
    QUOIN_ENTRY(KEYMGMT_IMPORT, keymgmt_import, import_key<Form>),
    QUOIN_ENTRY(KEYMGMT_IMPORT_TYPES, keymgmt_import_types, parts_of<Form>),
    QUOIN_ENTRY(KEYMGMT_EXPORT, keymgmt_export, export_key<Form>),
    QUOIN_ENTRY(KEYMGMT_EXPORT_TYPES, keymgmt_export_types, parts_of<Form>),
    QUOIN_ENTRY(KEYMGMT_GET_PARAMS, keymgmt_get_params, get<Form>),
    QUOIN_ENTRY(KEYMGMT_GETTABLE_PARAMS, keymgmt_gettable_params, gettable),
    QUOIN_ENTRY(KEYMGMT_GEN_INIT, keymgmt_gen_init, start_generation<Form>),
    QUOIN_ENTRY(KEYMGMT_GEN_SET_PARAMS, keymgmt_gen_set_params, set_generation<Form>),
    QUOIN_ENTRY(KEYMGMT_GEN_SETTABLE_PARAMS, keymgmt_gen_settable_params, settable_generation),
    QUOIN_ENTRY(KEYMGMT_GEN, keymgmt_gen, generate<Form>),
    QUOIN_ENTRY(KEYMGMT_GEN_CLEANUP, keymgmt_gen_cleanup, end_generation<Form>),
    OSSL_DISPATCH_END};

template <class Form>
constexpr OSSL_ALGORITHM entry = {Form::row.names, properties, functions<Form>, Form::row.name};

}  // namespace

const std::array<OSSL_ALGORITHM, 5> signature_keymgmts = {
    entry<MlDsa<core::ml_dsa::Set44>>, entry<MlDsa<core::ml_dsa::Set65>>,
    entry<MlDsa<core::ml_dsa::Set87>>, entry<Composite<core::hybrid::MlDsa44Ed25519>>,
    entry<Composite<core::hybrid::MlDsa65Ed25519>>};

}  // namespace quoin::provider
