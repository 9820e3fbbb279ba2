// What a device needs to have an identity and to talk, in 64 KiB of RAM: its keys and signatures
// too.
#include "core/crypto/ml_dsa/workspace.hpp"
#include "tests/core/image.hpp"

namespace quoin::tests {

using namespace core::known_answers;
using core::Portable;

std::span<const Group> image() {
    static constexpr std::array groups{
        sha2<Portable>,     keccak<Portable>, hmac,      aes<Portable>,     curve25519,
        lms_sign<Portable>, ml_kem<Portable>, ml_dsa_44, ml_dsa_low_memory, ml_dsa_verify<Portable>,
    };
    return groups;
}

const Memory& memory() {
    using Set87 = core::ml_dsa::Set87;
    constexpr std::size_t keys =
        Set87::public_key_size + Set87::private_key_size + Set87::signature_size;
    return memory_of<keys, sizeof(core::ml_dsa::SignWorkspace<core::ml_dsa::Set44>)>();
}

}  // namespace quoin::tests
