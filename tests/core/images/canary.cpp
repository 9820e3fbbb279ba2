// One right answer and one wrong one: the run must fail, or no run proves anything.
#include "core/crypto/sha2/sha2.hpp"
#include "tests/core/image.hpp"

namespace quoin::tests {
namespace {

using core::known_answers::hex, core::known_answers::same;

// SHA-256 of the empty message (FIPS 180-4), and the same with its last bit wrong.
constexpr auto right = hex<32>("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
constexpr auto wrong = hex<32>("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b854");

constexpr std::array<Operation, 2> operations{{
    {"right", [](const Memory&, unsigned) { return same(core::sha2::Sha256::of({}), right); }},
    {"canary", [](const Memory&, unsigned) { return same(core::sha2::Sha256::of({}), wrong); }},
}};

}  // namespace

std::span<const Group> image() {
    static constexpr std::array<Group, 1> groups{[]() -> Operations { return operations; }};
    return groups;
}

const Memory& memory() { return memory_of<64, 64>(); }

}  // namespace quoin::tests
