#include "core/crypto/sha2/lanes/lanes.hpp"
#include "core/base/endian.hpp"

namespace quoin::core::sha2 {

template <>
void step_lanes<Portable>(const State256& start, std::array<Block, 1>& blocks, std::size_t offset,
                          std::size_t size, unsigned steps) {
    std::uint8_t* const bytes = blocks[0].bytes.data();
    for (unsigned step = 0; step < steps; ++step) {
        State256 state = start;
        compress<Portable>(state, blocks[0].bytes);
        for (std::size_t i = 0; i < size / 4; ++i)
            store_big_endian(bytes + offset + 4 * i, state[i]);
        ++bytes[offset - 1];
    }
}

}  // namespace quoin::core::sha2
