// A device that signs with Falcon-512, in 64 KiB of RAM and without floating point.
#include "core/crypto/falcon/signing.hpp"
#include "tests/core/image.hpp"

namespace quoin::tests {

using namespace core::known_answers;
using core::Portable;

std::span<const Group> image() {
    static constexpr std::array groups{falcon_sign, falcon_verify<Portable>};
    return groups;
}

const Memory& memory() {
    namespace falcon = core::falcon;
    return memory_of<3 * 1024, sizeof(falcon::SignWorkspace<falcon::Set512, falcon::Integer>)>();
}

}  // namespace quoin::tests
