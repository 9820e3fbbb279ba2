#include "core/crypto/known_answers/ml_dsa.hpp"
#include "core/crypto/ml_dsa/ml_dsa.hpp"

namespace quoin::core::known_answers {
namespace {

using namespace ml_dsa_vectors;
using ml_dsa::Set44, ml_dsa::Set65, ml_dsa::Set87;

template <class Set>
bool verifies(const Memory& memory, Bytes signed_message) {
    const ml_dsa::Mu mu =
        ml_dsa::MessageHash<>(ml_dsa::public_key_hash(Answers<Set>::public_key), {})
            .absorb(signed_message)
            .finish();
    return ml_dsa::verify_mu_low_memory<Set>(Answers<Set>::public_key, mu, Answers<Set>::signature,
                                             memory.scratch_as<ml_dsa::LowMemoryVerifyWorkspace>())
        .has_value();
}

template <class Set>
bool verify(const Memory& memory, unsigned) {
    return verifies<Set>(memory, message);
}

template <class Set>
bool refuses(const Memory& memory, unsigned) {
    return !verifies<Set>(memory, Bytes(message).first(message.size() - 1));
}

constexpr std::array low_memory_operations = {
    Operation{"ML-DSA-44 verify, low memory", verify<Set44>, refuses<Set44>},
    Operation{"ML-DSA-65 verify, low memory", verify<Set65>, refuses<Set65>},
    Operation{"ML-DSA-87 verify, low memory", verify<Set87>, refuses<Set87>},
};

}  // namespace

Operations ml_dsa_verify_low_memory() { return low_memory_operations; }

}  // namespace quoin::core::known_answers
