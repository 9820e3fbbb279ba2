// What a boot loader or a sensor needs to check what it is given, in 16 KiB of RAM.
#include "core/crypto/ml_dsa/workspace.hpp"
#include "tests/core/image.hpp"

namespace quoin::tests {

using namespace core::known_answers;
using core::Portable;

std::span<const Group> image() {
    static constexpr std::array groups{
        sha2<Portable>,          keccak<Portable>,         lms_verify<Portable>,
        ml_dsa_verify<Portable>, slh_dsa_verify<Portable>, falcon_verify<Portable>,
    };
    return groups;
}

const Memory& memory() {
    return memory_of<64, sizeof(core::ml_dsa::VerifyWorkspace<core::ml_dsa::Set87>)>();
}

}  // namespace quoin::tests
