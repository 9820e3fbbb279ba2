// The portable build in 64-bit words.
#include "core/crypto/aes/bitsliced.hpp"
#include "core/crypto/aes/gcm.hpp"

namespace quoin::core::aes_gcm {

template class BasicKey<Set128, Bitsliced<std::uint64_t>>;
template class BasicKey<Set256, Bitsliced<std::uint64_t>>;

}  // namespace quoin::core::aes_gcm
