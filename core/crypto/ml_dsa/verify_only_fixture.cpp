// Links what a verifier of ML-DSA-44 needs, and nothing that signs: ctest looks at its symbols.
#include "core/crypto/ml_dsa/ml_dsa.hpp"

using namespace quoin::core::ml_dsa;

int main() {
    static VerifyWorkspace<Set44> workspace;
    static std::array<std::uint8_t, Set44::public_key_size> public_key;
    static std::array<std::uint8_t, Set44::signature_size> signature;
    return verify<Set44>(public_key, {}, {}, signature, workspace).has_value() ? 0 : 1;
}
