#include "core/crypto/sha2/lanes/lanes.hpp"

namespace quoin::core::sha2 {

template <>
void compress_lanes<Portable>(const State256& start, const std::array<Block, 1>& blocks,
                              std::array<State256, 1>& results) {
    results[0] = start;
    compress<Portable>(results[0], blocks[0].bytes);
}

}  // namespace quoin::core::sha2
