#include "core/crypto/known_answers/ml_dsa.hpp"
#include "core/crypto/ml_dsa/ml_dsa.hpp"

namespace quoin::core::known_answers {
namespace {

using namespace ml_dsa_vectors;
using ml_dsa::Set44, ml_dsa::Set65, ml_dsa::Set87;

template <class Set, class Backend>
bool verifies(const Memory& memory, Bytes signed_message) {
    return ml_dsa::verify<Set, Backend>(Answers<Set>::public_key, signed_message, {},
                                        Answers<Set>::signature,
                                        memory.scratch_as<ml_dsa::VerifyWorkspace<Set, Backend>>())
        .has_value();
}

template <class Set, class Backend>
bool verify(const Memory& memory, unsigned) {
    return verifies<Set, Backend>(memory, message);
}

template <class Set, class Backend>
bool refuses(const Memory& memory, unsigned) {
    return !verifies<Set, Backend>(memory, Bytes(message).first(message.size() - 1));
}

template <class Backend>
constexpr std::array operations = {
    Operation{"ML-DSA-44 verify", verify<Set44, Backend>, refuses<Set44, Backend>},
    Operation{"ML-DSA-65 verify", verify<Set65, Backend>, refuses<Set65, Backend>},
    Operation{"ML-DSA-87 verify", verify<Set87, Backend>, refuses<Set87, Backend>},
};

}  // namespace

template <>
Operations ml_dsa_verify<Portable>() {
    return operations<Portable>;
}

#if defined(__x86_64__)
template <>
Operations ml_dsa_verify<Avx2>() {
    return operations<Avx2>;
}
template <>
Operations ml_dsa_verify<Avx512>() {
    return operations<Avx512>;
}
#endif

}  // namespace quoin::core::known_answers
