#include "core/crypto/hybrid/x_wing.hpp"
#include "core/crypto/known_answers/messages.hpp"

namespace quoin::core::known_answers {
namespace {

using namespace hybrid;

// draft-connolly-cfrg-xwing-kem, appendix C, the first: it goes through ML-KEM, X25519, SHAKE256
// and SHA3-256.
constexpr auto seed = hex<32>("7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26");
constexpr auto randomness = hex<64>(
    "3cb1eea988004b93103cfb0aeefd2a686e01fa4a58e8a3639ca8a1e3f9ae57e235b8cc873c23dc62b8d260169afa2f"
    "75ab916a58d974918835d25e6a435085b2");
constexpr auto shared = hex<32>("d2df0522128f09dd8e2c92b1e905c793d8f57a54c3da25861f10bf4ca613e384");

struct Kept {
    std::array<std::uint8_t, x_wing::public_key_size> key;
    std::array<std::uint8_t, x_wing::ciphertext_size> ciphertext;
    std::array<std::uint8_t, x_wing::shared_secret_size> secret;
};

template <class Backend>
bool keygen(const Memory& memory, unsigned) {
    x_wing::public_key<Backend>(seed, memory.kept_as<Kept>().key,
                                memory.scratch_as<x_wing::Workspace<Backend>>());
    return true;
}

template <class Backend>
bool encapsulate(const Memory& memory, unsigned) {
    auto& kept = memory.kept_as<Kept>();
    return x_wing::encapsulate<Backend>(kept.key, randomness, kept.ciphertext, kept.secret,
                                        memory.scratch_as<x_wing::Workspace<Backend>>())
        .has_value();
}

template <class Backend>
bool decapsulate(const Memory& memory, unsigned) {
    auto& kept = memory.kept_as<Kept>();
    kept.secret = {};
    return x_wing::decapsulate<Backend>(seed, kept.ciphertext, kept.secret,
                                        memory.scratch_as<x_wing::Workspace<Backend>>())
        .has_value();
}

bool secret_is_right(const Memory& memory, unsigned) {
    return same(memory.kept_as<Kept>().secret, shared);
}

template <class Backend>
constexpr std::array operations = {
    Operation{"X-Wing keygen", keygen<Backend>},
    Operation{"X-Wing encaps", encapsulate<Backend>, secret_is_right},
    Operation{"X-Wing decaps", decapsulate<Backend>, secret_is_right},
};

}  // namespace

template <>
Operations x_wing_kem<Portable>() {
    return operations<Portable>;
}

#if defined(__x86_64__)
template <>
Operations x_wing_kem<Avx2>() {
    return operations<Avx2>;
}
#endif

}  // namespace quoin::core::known_answers
