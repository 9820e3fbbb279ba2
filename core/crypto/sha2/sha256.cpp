#include "core/crypto/sha2/hash.hpp"
#include "core/crypto/sha2/rounds.hpp"

namespace quoin::core::sha2 {

template <>
void compress<Portable>(std::array<std::uint32_t, 8>& state, Bytes blocks) {
    for (; blocks.size() >= 64; blocks = blocks.subspan(64)) {
        compress_block<Functions256>(state, blocks.data(), k_256);
    }
}

template class Hash<Set256>;

}  // namespace quoin::core::sha2
