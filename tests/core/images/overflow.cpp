// More stack than there is: the machine must notice, or no limit proves anything.
#include "tests/core/image.hpp"

namespace quoin::tests {
namespace {

[[gnu::noinline]] unsigned deep(unsigned levels) {
    std::array<unsigned, 64> room{};
    asm volatile("" : : "r"(room.data()) : "memory");
    return levels == 0 ? room[0] : deep(levels - 1) + room[levels % 64];
}

constexpr std::array operations = {
    Operation{"overflow", [](const Memory&, unsigned) { return deep(1000) == 0; }},
};

}  // namespace

std::span<const Group> image() {
    static constexpr std::array<Group, 1> groups{[]() -> Operations { return operations; }};
    return groups;
}

const Memory& memory() { return memory_of<64, 64>(); }

}  // namespace quoin::tests
