// Links what a verifier of Falcon-512 needs, and nothing that signs: ctest looks at its symbols.
#include "core/crypto/falcon/falcon.hpp"

using namespace quoin::core::falcon;

int main() {
    static VerifyWorkspace<Set512> workspace;
    static std::array<std::uint8_t, Set512::public_key_size> public_key;
    return verify<Set512>(public_key, {}, {}, workspace).has_value() ? 0 : 1;
}
