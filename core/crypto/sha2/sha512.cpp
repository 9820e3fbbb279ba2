#include "core/crypto/sha2/hash.hpp"
#include "core/crypto/sha2/rounds.hpp"

namespace quoin::core::sha2 {

template <>
void compress<Portable>(std::array<std::uint64_t, 8>& state, Bytes blocks) {
    for (; blocks.size() >= 128; blocks = blocks.subspan(128)) {
        compress_block<Functions512>(state, blocks.data(), k_512);
    }
}

template class Hash<Set384>;
template class Hash<Set512>;

}  // namespace quoin::core::sha2
