#include "core/crypto/ml_dsa/keygen_body.hpp"

namespace quoin::core::ml_dsa {

template void keygen<Set44, Portable>(const Seed&, std::span<std::uint8_t, Set44::public_key_size>,
                                      std::span<std::uint8_t, Set44::private_key_size>,
                                      KeygenWorkspace<Set44, Portable>&);
template void keygen<Set65, Portable>(const Seed&, std::span<std::uint8_t, Set65::public_key_size>,
                                      std::span<std::uint8_t, Set65::private_key_size>,
                                      KeygenWorkspace<Set65, Portable>&);
template void keygen<Set87, Portable>(const Seed&, std::span<std::uint8_t, Set87::public_key_size>,
                                      std::span<std::uint8_t, Set87::private_key_size>,
                                      KeygenWorkspace<Set87, Portable>&);

}  // namespace quoin::core::ml_dsa
