#include "core/crypto/hybrid/composite.hpp"

#include "core/crypto/known_answers/operation.hpp"
#include "core/crypto/known_answers/vectors/composite.hpp"

namespace quoin::core::known_answers {
namespace {

using namespace composite_vectors;
using hybrid::MlDsa44Ed25519, hybrid::MlDsa65Ed25519;

template <class Composite, class Backend>
bool verifies(const Memory& memory, hybrid::CompositePublicKey<Composite> key,
              hybrid::CompositeSignature<Composite> signature) {
    return hybrid::verify<Composite, Backend>(
               key, message, {}, signature,
               memory.scratch_as<ml_dsa::VerifyWorkspace<typename Composite::Set, Backend>>())
        .has_value();
}

template <class Composite, class Backend, const auto& key, const auto& signature>
bool verify(const Memory& memory, unsigned) {
    return verifies<Composite, Backend>(memory, key, signature);
}

// Either half alone is not enough: the last bit of each.
template <class Composite, class Backend, const auto& key, const auto& signature>
bool refuses(const Memory& memory, unsigned) {
    auto& damaged = memory.kept_as<std::array<std::uint8_t, Composite::signature_size>>();
    damaged = signature;
    damaged[0] ^= 1U;
    if (verifies<Composite, Backend>(memory, key, damaged)) return false;
    damaged = signature;
    damaged[Composite::signature_size - 64] ^= 1U;
    return !verifies<Composite, Backend>(memory, key, damaged);
}

template <class Backend>
constexpr std::array operations = {
    Operation{"ML-DSA-44+Ed25519 verify",
              verify<MlDsa44Ed25519, Backend, public_key_44, signature_44>,
              refuses<MlDsa44Ed25519, Backend, public_key_44, signature_44>},
    Operation{"ML-DSA-65+Ed25519 verify",
              verify<MlDsa65Ed25519, Backend, public_key_65, signature_65>,
              refuses<MlDsa65Ed25519, Backend, public_key_65, signature_65>},
};

}  // namespace

template <>
Operations composite<Portable>() {
    return operations<Portable>;
}

#if defined(__x86_64__)
template <>
Operations composite<Avx2>() {
    return operations<Avx2>;
}
#endif

}  // namespace quoin::core::known_answers
