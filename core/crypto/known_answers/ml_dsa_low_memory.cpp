#include "core/crypto/known_answers/ml_dsa_signing.hpp"

namespace quoin::core::known_answers {
namespace {

// A function of its own, so that its hash is not on the stack beside the operation's.
template <class Set>
[[gnu::noinline]] ml_dsa::Mu mu_of(const Memory& memory, unsigned round) {
    const auto& kept = memory.kept_as<MlDsaKept<Set>>();
    return ml_dsa::MessageHash<>(ml_dsa::public_key_hash(kept.public_key), {})
        .absorb(message_of(round))
        .finish();
}

template <class Set>
bool sign_low_memory(const Memory& memory, unsigned round) {
    auto& kept = memory.kept_as<MlDsaKept<Set>>();
    return ml_dsa::sign_mu_low_memory<Set>(kept.private_key, mu_of<Set>(memory, round),
                                           ml_dsa::deterministic, kept.signature,
                                           memory.scratch_as<ml_dsa::LowMemorySignWorkspace<Set>>())
        .has_value();
}

constexpr std::array low_memory_operations = {
    Operation{"ML-DSA-44 keygen", ml_dsa_keygen<Set44, Portable>, ml_dsa_keys_are_right<Set44>},
    Operation{"ML-DSA-44 sign, low memory", sign_low_memory<Set44>,
              ml_dsa_signature_is_right<Set44>, 16},
    Operation{"ML-DSA-65 keygen", ml_dsa_keygen<Set65, Portable>, ml_dsa_keys_are_right<Set65>},
    Operation{"ML-DSA-65 sign, low memory", sign_low_memory<Set65>,
              ml_dsa_signature_is_right<Set65>, 4},
    Operation{"ML-DSA-87 keygen", ml_dsa_keygen<Set87, Portable>, ml_dsa_keys_are_right<Set87>},
    Operation{"ML-DSA-87 sign, low memory", sign_low_memory<Set87>,
              ml_dsa_signature_is_right<Set87>, 4},
};

}  // namespace

Operations ml_dsa_low_memory() { return low_memory_operations; }

}  // namespace quoin::core::known_answers
