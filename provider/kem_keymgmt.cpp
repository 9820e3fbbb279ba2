// Keys of the KEMs: provider-keymgmt(7). What is taken, given and refused is what the default
// provider takes, gives and refuses (EVP_PKEY-ML-KEM(7)) with its settings as they are when not
// configured: a seed is kept, and preferred to the decapsulation key beside it, which must agree;
// an imported private key is tested for pairwise consistency. One thing is stricter: a public key
// that does not belong to the private key beside it is refused for X25519MLKEM768, too.
#include "provider/operations.hpp"
#include "provider/parameters.hpp"
#include "provider/self_test.hpp"
#include "provider/x25519_ml_kem_768.hpp"

namespace quoin::provider {
namespace {

constexpr int keypair = OSSL_KEYMGMT_SELECT_KEYPAIR;
constexpr int private_part = OSSL_KEYMGMT_SELECT_PRIVATE_KEY;
constexpr int public_part = OSSL_KEYMGMT_SELECT_PUBLIC_KEY;

template <class Key>
constexpr bool has_seeds = Key::row.seed_size != 0;

template <class Key>
const Key& key_of(const void* key) {
    return *static_cast<const Key*>(key);
}

// Whether keys of this kind are served: asked before each is made.
template <class Key>
bool is_served(const ProviderContext& context) {
    return is_running(context) && (has_seeds<Key> || test_hybrid(context));
}

template <class Key>
void* create(void* provider_context) noexcept {
    const ProviderContext& context = context_of(provider_context);
    return is_served<Key>(context) ? give_away<Key>(context) : nullptr;
}

template <class Key>
void destroy(void* key) noexcept {
    take_back<Key>(key);
}

template <class Key>
int has(const void* key, int selection) noexcept {
    if (key == nullptr) return 0;
    if ((selection & keypair) == 0) return 1;
    const bool found = (selection & keypair) == public_part ? key_of<Key>(key).has_public()
                                                            : key_of<Key>(key).has_private();
    return found ? 1 : 0;
}

template <class Key>
int match(const void* first, const void* second, int selection) noexcept {
    if ((selection & keypair) == 0) return 1;
    const Key& a = key_of<Key>(first);
    const Key& b = key_of<Key>(second);
    if (a.has_public() != b.has_public()) return 0;
    return !a.has_public() || std::ranges::equal(a.public_key(), b.public_key()) ? 1 : 0;
}

// Does what the public key wraps come out of the private one?
template <class Key>
bool is_consistent(const Key& key) {
    constexpr const Kem& row = Key::row;
    core::Secret<struct Entropy, 32> entropy;
    core::Secret<struct Wrapped, row.shared_secret_size> wrapped;
    core::Secret<struct Unwrapped, row.shared_secret_size> unwrapped;
    std::array<std::uint8_t, row.ciphertext_size> ciphertext{};
    return draw_private(key.context(), entropy.expose_to_fill(), row.security_bits) &&
           key.encapsulate(wrapped.expose_to_fill(), ciphertext, entropy.expose()) &&
           key.decapsulate(unwrapped.expose_to_fill(), ciphertext) &&
           (core::ct::equal(wrapped.expose(), unwrapped.expose()) ||
            refuse(PROV_R_INVALID_KEY, "the public key does not belong to the private one"));
}

template <class Key>
int validate(const void* key, int selection, int) noexcept {
    if (has<Key>(key, selection) == 0) return 0;
    return (selection & keypair) != keypair || is_consistent(key_of<Key>(key)) ? 1 : 0;
}

// The parts of a key that an import brings or another key has; empty where there is none.
struct Parts {
    Bytes seed;
    Bytes private_key;
    Bytes public_key;
};

template <class Key>
Parts parts_of(const Key& key, int selection) {
    Parts parts;
    if ((selection & public_part) != 0 && key.has_public()) parts.public_key = key.public_key();
    if ((selection & private_part) != 0 && key.has_private()) {
        parts.private_key = key.private_key();
        if constexpr (has_seeds<Key>) {
            if (key.has_seed()) parts.seed = key.seed();
        }
    }
    return parts;
}

bool read_part(Bytes& part, const OSSL_PARAM parameters[], const char* name, std::size_t size,
               int reason) {
    const auto found = octets(parameters, name);
    if (!found) return false;
    if (!found->empty() && found->size() != size) {
        return refuse(reason, "a part of the key has the wrong length");
    }
    part = *found;
    return true;
}

template <class Key>
bool read_parts(Parts& parts, int selection, const OSSL_PARAM parameters[]) {
    constexpr const Kem& row = Key::row;
    if ((selection & private_part) != 0) {
        if (has_seeds<Key> && !read_part(parts.seed, parameters, OSSL_PKEY_PARAM_ML_KEM_SEED,
                                         row.seed_size, PROV_R_INVALID_SEED_LENGTH)) {
            return false;
        }
        if (!read_part(parts.private_key, parameters, OSSL_PKEY_PARAM_PRIV_KEY,
                       row.private_key_size, PROV_R_INVALID_KEY_LENGTH)) {
            return false;
        }
    }
    return read_part(parts.public_key, parameters, OSSL_PKEY_PARAM_PUB_KEY, row.public_key_size,
                     PROV_R_INVALID_KEY_LENGTH);
}

// The first there is of seed, private and public key makes the key.
template <class Key>
bool set_first(Key& key, const Parts& parts) {
    if constexpr (has_seeds<Key>) {
        if (!parts.seed.empty()) {
            key.set_seed(parts.seed.first<Key::row.seed_size>());
            return true;
        }
    }
    if (!parts.private_key.empty()) {
        return key.set_private(parts.private_key.first<Key::row.private_key_size>());
    }
    if (!parts.public_key.empty()) {
        return key.set_public(parts.public_key.first<Key::row.public_key_size>());
    }
    return refuse(PROV_R_MISSING_KEY, "there is no part of a key to import");
}

template <class Key>
bool agrees(const Key& key, const Parts& parts) {
    if (parts.private_key.empty()) return true;  // beside a seed, a public key is not looked at
    if (!core::ct::equal(key.private_key(), parts.private_key)) {
        return refuse(PROV_R_INVALID_KEY, "the private key does not belong to the seed");
    }
    return parts.public_key.empty() || std::ranges::equal(key.public_key(), parts.public_key) ||
           refuse(PROV_R_INVALID_KEY, "the public key does not belong to the private one");
}

template <class Key>
int import_key(void* into, int selection, const OSSL_PARAM parameters[]) noexcept {
    auto* const key = static_cast<Key*>(into);
    // A key never changes once it is there.
    if (key == nullptr || (selection & keypair) == 0 || key->has_public()) return 0;
    Parts parts;
    if (!read_parts<Key>(parts, selection, parameters)) return 0;
    if (set_first(*key, parts) && agrees(*key, parts) &&
        (!key->has_private() || is_consistent(*key))) {
        return 1;
    }
    key->clear();
    return 0;
}

template <class Key>
int export_key(void* from, int selection, OSSL_CALLBACK* take, void* argument) noexcept {
    if (from == nullptr || (selection & keypair) == 0) return 0;
    if (!key_of<Key>(from).has_public()) return refuse(PROV_R_MISSING_KEY, "the key is empty");
    const Parts parts = parts_of(key_of<Key>(from), selection);
    std::array<OSSL_PARAM, 4> exported{};
    std::size_t count = 0;
    const auto add = [&](const char* name, Bytes part) {
        if (!part.empty()) exported[count++] = octets_to_export(name, part);
    };
    add(OSSL_PKEY_PARAM_ML_KEM_SEED, parts.seed);
    add(OSSL_PKEY_PARAM_PRIV_KEY, parts.private_key);
    add(OSSL_PKEY_PARAM_PUB_KEY, parts.public_key);
    exported[count] = OSSL_PARAM_construct_end();
    return take(exported.data(), argument);
}

template <class Key>
const OSSL_PARAM* exchanged(int selection) noexcept {
    static const OSSL_PARAM parts[] = {
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ML_KEM_SEED, nullptr, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PRIV_KEY, nullptr, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, nullptr, 0), OSSL_PARAM_END};
    if ((selection & keypair) == 0) return nullptr;
    return has_seeds<Key> ? parts : parts + 1;
}

template <class Key>
void* duplicate(const void* source, int selection) noexcept {
    const Key& from = key_of<Key>(source);
    auto* const copy = give_away<Key>(from.context());
    if (copy == nullptr || (selection & keypair) == 0 || !from.has_public()) return copy;
    if (set_first(*copy, parts_of(from, selection | public_part))) return copy;
    destroy<Key>(copy);
    return nullptr;
}

template <class Key>
const OSSL_PARAM* gettable(void*) noexcept {
    static const OSSL_PARAM parameters[] = {
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ML_KEM_SEED, nullptr, 0),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, nullptr),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, nullptr),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, nullptr),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PRIV_KEY, nullptr, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, nullptr, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, nullptr, 0),
        OSSL_PARAM_END};
    return has_seeds<Key> ? parameters : parameters + 1;
}

template <class Key>
int get(void* of, OSSL_PARAM parameters[]) noexcept {
    constexpr const Kem& row = Key::row;
    const Parts parts = parts_of(key_of<Key>(of), keypair);
    const auto answer = [&](const char* name, Bytes part) {
        return part.empty() || answer_octets(parameters, name, part);
    };
    const bool answered =
        answer_int(parameters, OSSL_PKEY_PARAM_BITS, row.bits) &&
        answer_int(parameters, OSSL_PKEY_PARAM_SECURITY_BITS,
                   static_cast<int>(row.security_bits)) &&
        answer_int(parameters, OSSL_PKEY_PARAM_MAX_SIZE, static_cast<int>(row.ciphertext_size)) &&
        answer(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, parts.public_key) &&
        answer(OSSL_PKEY_PARAM_PUB_KEY, parts.public_key) &&
        answer(OSSL_PKEY_PARAM_PRIV_KEY, parts.private_key) &&
        answer(OSSL_PKEY_PARAM_ML_KEM_SEED, parts.seed);
    return answered ? 1 : 0;
}

const OSSL_PARAM* settable(void*) noexcept {
    static const OSSL_PARAM parameters[] = {
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, nullptr, 0), OSSL_PARAM_END};
    return parameters;
}

// TLS gives an empty key the peer's share.
template <class Key>
int set(void* of, const OSSL_PARAM parameters[]) noexcept {
    auto& key = *static_cast<Key*>(of);
    if (!is_among(parameters, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY)) return 1;
    const auto bytes = octets(parameters, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY);
    if (!bytes || bytes->size() != Key::row.public_key_size) {
        return refuse(PROV_R_INVALID_KEY, "the public key has the wrong length");
    }
    if (key.has_public()) {
        return refuse(PROV_R_OPERATION_NOT_SUPPORTED_FOR_THIS_KEYTYPE, "keys cannot be changed");
    }
    return key.set_public(bytes->template first<Key::row.public_key_size>()) ? 1 : 0;
}

template <class Key>
struct Generation {
    const ProviderContext& context;
    int selection = 0;
    core::Secret<struct GivenSeed, Key::row.seed_size> seed = {};  // good for one key
    bool has_seed = false;
};

template <class Key>
int set_generation(void* generation, const OSSL_PARAM parameters[]) noexcept {
    if (!has_seeds<Key> || !is_among(parameters, OSSL_PKEY_PARAM_ML_KEM_SEED)) return 1;
    auto& of = *static_cast<Generation<Key>*>(generation);
    const auto seed = octets(parameters, OSSL_PKEY_PARAM_ML_KEM_SEED);
    of.has_seed = seed && seed->size() == Key::row.seed_size;
    if (!of.has_seed) return refuse(PROV_R_INVALID_SEED_LENGTH, "the seed has the wrong length");
    std::ranges::copy(*seed, of.seed.expose_to_fill().begin());
    return 1;
}

template <class Key>
const OSSL_PARAM* settable_generation(void*, void*) noexcept {
    static const OSSL_PARAM parameters[] = {
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ML_KEM_SEED, nullptr, 0), OSSL_PARAM_END};
    return has_seeds<Key> ? parameters : parameters + 1;
}

// A private key, or an empty one with the selection of parameters alone: TLS needs that.
template <class Key>
void* start_generation(void* provider_context, int selection,
                       const OSSL_PARAM parameters[]) noexcept {
    if ((selection & (private_part | OSSL_KEYMGMT_SELECT_DOMAIN_PARAMETERS)) == 0) return nullptr;
    auto* const generation = give_away<Generation<Key>>(context_of(provider_context), selection);
    if (generation == nullptr || set_generation<Key>(generation, parameters) == 1) {
        return generation;
    }
    take_back<Generation<Key>>(generation);
    return nullptr;
}

template <class Key>
void* generate(void* from, OSSL_CALLBACK*, void*) noexcept {
    auto& generation = *static_cast<Generation<Key>*>(from);
    if (!is_served<Key>(generation.context)) return nullptr;
    auto* const key = give_away<Key>(generation.context);
    if (key == nullptr || (generation.selection & keypair) == 0) return key;
    bool made = false;
    if constexpr (has_seeds<Key>) {
        if (generation.has_seed) {
            key->set_seed(generation.seed.expose());
            core::ct::wipe(generation.seed.expose_to_fill());
            generation.has_seed = false;
            made = true;
        }
    }
    if ((made || key->generate()) &&
        judge_pair(generation.context, Key::row.name, key->is_consistent())) {
        return key;
    }
    destroy<Key>(key);
    return nullptr;
}

template <class Key>
void end_generation(void* generation) noexcept {
    take_back<Generation<Key>>(generation);
}

template <class Key>
const OSSL_DISPATCH functions[] = {
    QUOIN_ENTRY(KEYMGMT_NEW, keymgmt_new, create<Key>),
    QUOIN_ENTRY(KEYMGMT_FREE, keymgmt_free, destroy<Key>),
    QUOIN_ENTRY(KEYMGMT_HAS, keymgmt_has, has<Key>),
    QUOIN_ENTRY(KEYMGMT_MATCH, keymgmt_match, match<Key>),
    QUOIN_ENTRY(KEYMGMT_VALIDATE, keymgmt_validate, validate<Key>),
    QUOIN_ENTRY(KEYMGMT_DUP, keymgmt_dup, duplicate<Key>),
    QUOIN_ENTRY(KEYMGMT_IMPORT, keymgmt_import, import_key<Key>),
    QUOIN_ENTRY(KEYMGMT_IMPORT_TYPES, keymgmt_import_types, exchanged<Key>),
    QUOIN_ENTRY(KEYMGMT_EXPORT, keymgmt_export, export_key<Key>),
    QUOIN_ENTRY(KEYMGMT_EXPORT_TYPES, keymgmt_export_types, exchanged<Key>),
    QUOIN_ENTRY(KEYMGMT_GET_PARAMS, keymgmt_get_params, get<Key>),
    QUOIN_ENTRY(KEYMGMT_GETTABLE_PARAMS, keymgmt_gettable_params, gettable<Key>),
    QUOIN_ENTRY(KEYMGMT_SET_PARAMS, keymgmt_set_params, set<Key>),
    QUOIN_ENTRY(KEYMGMT_SETTABLE_PARAMS, keymgmt_settable_params, settable),
    QUOIN_ENTRY(KEYMGMT_GEN_INIT, keymgmt_gen_init, start_generation<Key>),
    QUOIN_ENTRY(KEYMGMT_GEN_SET_PARAMS, keymgmt_gen_set_params, set_generation<Key>),
    QUOIN_ENTRY(KEYMGMT_GEN_SETTABLE_PARAMS, keymgmt_gen_settable_params, settable_generation<Key>),
    QUOIN_ENTRY(KEYMGMT_GEN, keymgmt_gen, generate<Key>),
    QUOIN_ENTRY(KEYMGMT_GEN_CLEANUP, keymgmt_gen_cleanup, end_generation<Key>),
    OSSL_DISPATCH_END};

template <class Key>
constexpr OSSL_ALGORITHM row = {Key::row.names, properties, functions<Key>, Key::row.name};

}  // namespace

const std::array<OSSL_ALGORITHM, 4> kem_keymgmts = {
    row<MlKemKey<core::ml_kem::Set512>>, row<MlKemKey<core::ml_kem::Set768>>,
    row<MlKemKey<core::ml_kem::Set1024>>, row<X25519MlKem768Key>};

}  // namespace quoin::provider
