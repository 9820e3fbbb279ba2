// Keys of ML-KEM: provider-keymgmt(7). What it takes, gives and refuses is what the default
// provider does (EVP_PKEY-ML-KEM(7)) with its settings as they are when not configured: the seed is
// kept, and preferred to the decapsulation key beside it, which must agree with it; an imported
// private key is tested for pairwise consistency.
#include "provider/ml_kem_key.hpp"
#include "provider/operations.hpp"
#include "provider/parameters.hpp"

namespace quoin::provider {
namespace {

using core::ml_kem::seed_size;

constexpr int keypair = OSSL_KEYMGMT_SELECT_KEYPAIR;
constexpr int private_part = OSSL_KEYMGMT_SELECT_PRIVATE_KEY;
constexpr int public_part = OSSL_KEYMGMT_SELECT_PUBLIC_KEY;

template <class Set>
const MlKemKey<Set>& key_of(const void* key) {
    return *static_cast<const MlKemKey<Set>*>(key);
}

template <class Set>
void* create(void* provider_context) noexcept {
    return give_away<MlKemKey<Set>>(context_of(provider_context));
}

template <class Set>
void destroy(void* key) noexcept {
    take_back<MlKemKey<Set>>(key);
}

template <class Set>
int has(const void* key, int selection) noexcept {
    if (key == nullptr) return 0;
    if ((selection & keypair) == 0) return 1;
    if ((selection & keypair) == public_part) return key_of<Set>(key).has_public() ? 1 : 0;
    return key_of<Set>(key).has_private() ? 1 : 0;
}

template <class Set>
int match(const void* first, const void* second, int selection) noexcept {
    if ((selection & keypair) == 0) return 1;
    const auto& a = key_of<Set>(first);
    const auto& b = key_of<Set>(second);
    if (a.has_public() != b.has_public()) return 0;
    return !a.has_public() || std::ranges::equal(a.public_key(), b.public_key()) ? 1 : 0;
}

template <class Set>
int validate(const void* key, int selection, int) noexcept {
    if (has<Set>(key, selection) == 0) return 0;
    if ((selection & keypair) != keypair || key_of<Set>(key).is_consistent()) return 1;
    return refuse(PROV_R_INVALID_KEY, "ML-KEM: the private key does not belong to the public one");
}

template <class Set>
void* duplicate(const void* source, int selection) noexcept {
    const auto& from = key_of<Set>(source);
    auto* const copy = give_away<MlKemKey<Set>>(from.context());
    if (copy == nullptr || (selection & keypair) == 0 || !from.has_public()) return copy;
    bool copied = true;
    if ((selection & private_part) == 0 || !from.has_private()) {
        copied = copy->set_public(from.public_key());
    } else if (from.has_seed()) {
        copy->set_seed(from.seed());
    } else {
        copied = copy->set_private(from.private_key());
    }
    if (copied) return copy;
    destroy<Set>(copy);
    return nullptr;
}

// What an import brings. Lengths are right, or zero.
struct Parts {
    Bytes seed;
    Bytes private_key;
    Bytes public_key;
};

template <class Set>
bool read_parts(Parts& parts, int selection, const OSSL_PARAM parameters[]) {
    const auto read = [&](Bytes& into, const char* name, std::size_t size, int reason) {
        const auto found = octets(parameters, name);
        if (!found) return false;
        if (!found->empty() && found->size() != size) {
            return refuse(reason, "ML-KEM: a part of the key has the wrong length");
        }
        into = *found;
        return true;
    };
    if ((selection & private_part) != 0 &&
        (!read(parts.seed, OSSL_PKEY_PARAM_ML_KEM_SEED, seed_size, PROV_R_INVALID_SEED_LENGTH) ||
         !read(parts.private_key, OSSL_PKEY_PARAM_PRIV_KEY, Set::decapsulation_key_size,
               PROV_R_INVALID_KEY_LENGTH))) {
        return false;
    }
    if (!read(parts.public_key, OSSL_PKEY_PARAM_PUB_KEY, Set::encapsulation_key_size,
              PROV_R_INVALID_KEY_LENGTH)) {
        return false;
    }
    if (parts.seed.empty() && parts.private_key.empty() && parts.public_key.empty()) {
        return refuse(PROV_R_MISSING_KEY, "ML-KEM: no part of a key to import");
    }
    return true;
}

template <class Set>
bool set_parts(MlKemKey<Set>& key, const Parts& parts) {
    if (parts.private_key.empty() && parts.seed.empty()) {
        return key.set_public(parts.public_key.first<Set::encapsulation_key_size>());
    }
    if (!parts.seed.empty()) {
        key.set_seed(parts.seed.first<seed_size>());
        if (!parts.private_key.empty() && !core::ct::equal(key.private_key(), parts.private_key)) {
            return refuse(PROV_R_INVALID_KEY, "ML-KEM: private key and seed disagree");
        }
    } else if (!key.set_private(parts.private_key.first<Set::decapsulation_key_size>())) {
        return false;
    }
    // Without a private key, the seed alone decides, as in the default provider.
    if (!parts.private_key.empty() && !parts.public_key.empty() &&
        !std::ranges::equal(key.public_key(), parts.public_key)) {
        return refuse(PROV_R_INVALID_KEY, "ML-KEM: public and private key disagree");
    }
    if (!key.is_consistent()) {
        return refuse(PROV_R_INVALID_KEY, "ML-KEM: the private key is not consistent");
    }
    return true;
}

template <class Set>
int import_key(void* into, int selection, const OSSL_PARAM parameters[]) noexcept {
    auto* const key = static_cast<MlKemKey<Set>*>(into);
    // A key never changes once it is there.
    if (key == nullptr || (selection & keypair) == 0 || key->has_public()) return 0;
    Parts parts;
    if (!read_parts<Set>(parts, selection, parameters)) return 0;
    if (set_parts(*key, parts)) return 1;
    key->clear();
    return 0;
}

template <class Set>
int export_key(void* from, int selection, OSSL_CALLBACK* take, void* argument) noexcept {
    if (from == nullptr || (selection & keypair) == 0) return 0;
    const auto& key = key_of<Set>(from);
    if (!key.has_public()) return refuse(PROV_R_MISSING_KEY, "ML-KEM: an empty key");
    std::array<OSSL_PARAM, 4> parts;
    std::size_t count = 0;
    if ((selection & private_part) != 0 && key.has_seed()) {
        parts[count++] = octets_to_export(OSSL_PKEY_PARAM_ML_KEM_SEED, key.seed());
    }
    if ((selection & private_part) != 0 && key.has_private()) {
        parts[count++] = octets_to_export(OSSL_PKEY_PARAM_PRIV_KEY, key.private_key());
    }
    if ((selection & public_part) != 0) {
        parts[count++] = octets_to_export(OSSL_PKEY_PARAM_PUB_KEY, key.public_key());
    }
    parts[count] = OSSL_PARAM_construct_end();
    return take(parts.data(), argument);
}

const OSSL_PARAM* parts_of(int selection) noexcept {
    static const OSSL_PARAM parts[] = {
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ML_KEM_SEED, nullptr, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PRIV_KEY, nullptr, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, nullptr, 0), OSSL_PARAM_END};
    return (selection & keypair) != 0 ? parts : nullptr;
}

const OSSL_PARAM* gettable(void*) noexcept {
    static const OSSL_PARAM parameters[] = {
        OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, nullptr),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, nullptr),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, nullptr),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ML_KEM_SEED, nullptr, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PRIV_KEY, nullptr, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, nullptr, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, nullptr, 0),
        OSSL_PARAM_END};
    return parameters;
}

template <class Set>
int get(void* of, OSSL_PARAM parameters[]) noexcept {
    const auto& key = key_of<Set>(of);
    const Kem& row = kem_of<Set>;
    bool answered =
        answer_int(parameters, OSSL_PKEY_PARAM_BITS, row.bits) &&
        answer_int(parameters, OSSL_PKEY_PARAM_SECURITY_BITS,
                   static_cast<int>(row.security_bits)) &&
        answer_int(parameters, OSSL_PKEY_PARAM_MAX_SIZE, static_cast<int>(row.ciphertext_size));
    if (key.has_public()) {
        answered = answered &&
                   answer_octets(parameters, OSSL_PKEY_PARAM_PUB_KEY, key.public_key()) &&
                   answer_octets(parameters, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, key.public_key());
    }
    if (key.has_private()) {
        answered =
            answered && answer_octets(parameters, OSSL_PKEY_PARAM_PRIV_KEY, key.private_key());
    }
    if (key.has_seed()) {
        answered = answered && answer_octets(parameters, OSSL_PKEY_PARAM_ML_KEM_SEED, key.seed());
    }
    return answered ? 1 : 0;
}

const OSSL_PARAM* settable(void*) noexcept {
    static const OSSL_PARAM parameters[] = {
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, nullptr, 0), OSSL_PARAM_END};
    return parameters;
}

// TLS gives an empty key the peer's share.
template <class Set>
int set(void* of, const OSSL_PARAM parameters[]) noexcept {
    auto& key = *static_cast<MlKemKey<Set>*>(of);
    if (parameters == nullptr ||
        OSSL_PARAM_locate_const(parameters, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY) == nullptr) {
        return 1;
    }
    const auto bytes = octets(parameters, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY);
    if (!bytes || bytes->size() != Set::encapsulation_key_size) {
        return refuse(PROV_R_INVALID_KEY, "ML-KEM: an encapsulation key of the wrong length");
    }
    if (key.has_public()) {
        return refuse(PROV_R_OPERATION_NOT_SUPPORTED_FOR_THIS_KEYTYPE,
                      "ML-KEM keys cannot be changed");
    }
    return key.set_public(bytes->template first<Set::encapsulation_key_size>()) ? 1 : 0;
}

struct Generation {
    const ProviderContext& context;
    int selection;
    core::Secret<struct GenerationSeed, seed_size> seed = {};
    bool has_seed = false;
};

int set_generation(void* generation, const OSSL_PARAM parameters[]) noexcept {
    if (generation == nullptr) return 0;
    if (parameters == nullptr ||
        OSSL_PARAM_locate_const(parameters, OSSL_PKEY_PARAM_ML_KEM_SEED) == nullptr) {
        return 1;
    }
    auto& of = *static_cast<Generation*>(generation);
    const auto seed = octets(parameters, OSSL_PKEY_PARAM_ML_KEM_SEED);
    of.has_seed = seed && seed->size() == seed_size;
    if (!of.has_seed) return refuse(PROV_R_INVALID_SEED_LENGTH, "ML-KEM: a seed has 64 bytes");
    std::ranges::copy(*seed, of.seed.expose_to_fill().begin());
    return 1;
}

const OSSL_PARAM* settable_generation(void*, void*) noexcept {
    static const OSSL_PARAM parameters[] = {
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ML_KEM_SEED, nullptr, 0), OSSL_PARAM_END};
    return parameters;
}

// TLS makes an empty key with the selection of parameters alone.
void* start_generation(void* provider_context, int selection,
                       const OSSL_PARAM parameters[]) noexcept {
    if ((selection & (private_part | OSSL_KEYMGMT_SELECT_DOMAIN_PARAMETERS)) == 0) return nullptr;
    auto* const generation = give_away<Generation>(context_of(provider_context), selection);
    if (generation == nullptr || set_generation(generation, parameters) == 1) return generation;
    take_back<Generation>(generation);
    return nullptr;
}

template <class Set>
void* generate(void* from, OSSL_CALLBACK*, void*) noexcept {
    auto& generation = *static_cast<Generation*>(from);
    auto* const key = give_away<MlKemKey<Set>>(generation.context);
    if (key == nullptr || (generation.selection & keypair) == 0) return key;
    if (generation.has_seed) {
        // Good for one key.
        key->set_seed(generation.seed.expose());
        core::ct::wipe(generation.seed.expose_to_fill());
        generation.has_seed = false;
        return key;
    }
    if (key->generate()) return key;
    destroy<Set>(key);
    return nullptr;
}

void end_generation(void* generation) noexcept { take_back<Generation>(generation); }

template <class Set>
const OSSL_DISPATCH functions[] = {
    QUOIN_ENTRY(KEYMGMT_NEW, keymgmt_new, create<Set>),
    QUOIN_ENTRY(KEYMGMT_FREE, keymgmt_free, destroy<Set>),
    QUOIN_ENTRY(KEYMGMT_HAS, keymgmt_has, has<Set>),
    QUOIN_ENTRY(KEYMGMT_MATCH, keymgmt_match, match<Set>),
    QUOIN_ENTRY(KEYMGMT_VALIDATE, keymgmt_validate, validate<Set>),
    QUOIN_ENTRY(KEYMGMT_DUP, keymgmt_dup, duplicate<Set>),
    QUOIN_ENTRY(KEYMGMT_IMPORT, keymgmt_import, import_key<Set>),
    QUOIN_ENTRY(KEYMGMT_IMPORT_TYPES, keymgmt_import_types, parts_of),
    QUOIN_ENTRY(KEYMGMT_EXPORT, keymgmt_export, export_key<Set>),
    QUOIN_ENTRY(KEYMGMT_EXPORT_TYPES, keymgmt_export_types, parts_of),
    QUOIN_ENTRY(KEYMGMT_GET_PARAMS, keymgmt_get_params, get<Set>),
    QUOIN_ENTRY(KEYMGMT_GETTABLE_PARAMS, keymgmt_gettable_params, gettable),
    QUOIN_ENTRY(KEYMGMT_SET_PARAMS, keymgmt_set_params, set<Set>),
    QUOIN_ENTRY(KEYMGMT_SETTABLE_PARAMS, keymgmt_settable_params, settable),
    QUOIN_ENTRY(KEYMGMT_GEN_INIT, keymgmt_gen_init, start_generation),
    QUOIN_ENTRY(KEYMGMT_GEN_SET_PARAMS, keymgmt_gen_set_params, set_generation),
    QUOIN_ENTRY(KEYMGMT_GEN_SETTABLE_PARAMS, keymgmt_gen_settable_params, settable_generation),
    QUOIN_ENTRY(KEYMGMT_GEN, keymgmt_gen, generate<Set>),
    QUOIN_ENTRY(KEYMGMT_GEN_CLEANUP, keymgmt_gen_cleanup, end_generation),
    OSSL_DISPATCH_END};

template <class Set>
constexpr OSSL_ALGORITHM row = {kem_of<Set>.names, properties, functions<Set>, kem_of<Set>.name};

}  // namespace

const std::array<OSSL_ALGORITHM, 3> ml_kem_keymgmts = {
    row<core::ml_kem::Set512>, row<core::ml_kem::Set768>, row<core::ml_kem::Set1024>};

}  // namespace quoin::provider
