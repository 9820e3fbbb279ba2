// Signing with SLH-DSA: by itself, as it takes longer than all the rest.
#include "tests/core/image.hpp"

namespace quoin::tests {

using namespace core::known_answers;
using core::Portable;

std::span<const Group> image() {
    static constexpr std::array<Group, 1> groups{slh_dsa_sign<Portable>};
    return groups;
}

const Memory& memory() { return memory_of<kept_size, scratch_size>(); }

}  // namespace quoin::tests
