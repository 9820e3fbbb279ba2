#include "core/crypto/known_answers/ml_dsa_signing.hpp"

namespace quoin::core::known_answers {
namespace {

template <class Set, class Backend>
bool sign(const Memory& memory, unsigned round) {
    auto& kept = memory.kept_as<MlDsaKept<Set>>();
    return ml_dsa::sign<Set, Backend>(kept.private_key, message_of(round), {},
                                      ml_dsa::deterministic, kept.signature,
                                      memory.scratch_as<ml_dsa::SignWorkspace<Set, Backend>>())
        .has_value();
}

template <class Backend>
constexpr std::array operations = {
    Operation{"ML-DSA-44 keygen", ml_dsa_keygen<Set44, Backend>, ml_dsa_keys_are_right<Set44>},
    Operation{"ML-DSA-44 sign", sign<Set44, Backend>, ml_dsa_signature_is_right<Set44>, 16},
    Operation{"ML-DSA-65 keygen", ml_dsa_keygen<Set65, Backend>, ml_dsa_keys_are_right<Set65>},
    Operation{"ML-DSA-65 sign", sign<Set65, Backend>, ml_dsa_signature_is_right<Set65>, 8},
    Operation{"ML-DSA-87 keygen", ml_dsa_keygen<Set87, Backend>, ml_dsa_keys_are_right<Set87>},
    Operation{"ML-DSA-87 sign", sign<Set87, Backend>, ml_dsa_signature_is_right<Set87>, 8},
};

}  // namespace

Operations ml_dsa_44() { return std::span(operations<Portable>).first(2); }

template <>
Operations ml_dsa<Portable>() {
    return operations<Portable>;
}

#if defined(__x86_64__)
template <>
Operations ml_dsa<Avx2>() {
    return operations<Avx2>;
}
template <>
Operations ml_dsa<Avx512>() {
    return operations<Avx512>;
}
#endif

}  // namespace quoin::core::known_answers
