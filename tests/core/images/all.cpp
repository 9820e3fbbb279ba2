// Every algorithm, in memory without limits: correctness and measurements.
#include "tests/core/operation.hpp"

namespace quoin::tests {

std::span<const Group> image() {
    static constexpr std::array groups{machine_operations, sha2_operations, keccak_operations,
                                       hmac_operations, aes_operations};
    return groups;
}

}  // namespace quoin::tests
