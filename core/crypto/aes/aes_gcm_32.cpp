// The portable build in 32-bit words.
#include "core/crypto/aes/bitsliced.hpp"
#include "core/crypto/aes/gcm.hpp"

namespace quoin::core::aes_gcm {

template class BasicKey<Set128, Bitsliced<std::uint32_t>>;
template class BasicKey<Set256, Bitsliced<std::uint32_t>>;

}  // namespace quoin::core::aes_gcm
