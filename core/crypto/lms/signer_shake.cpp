#include "core/crypto/lms/signer_impl.hpp"

namespace quoin::core::lms {

template class Signer<ShakeM32, Portable>;
template void write_public_key<ShakeM32>(const PrivateKey<ShakeM32>&, const Tree<ShakeM32>&,
                                         std::span<std::uint8_t, public_key_size<ShakeM32>>);
template class Signer<ShakeM24, Portable>;
template void write_public_key<ShakeM24>(const PrivateKey<ShakeM24>&, const Tree<ShakeM24>&,
                                         std::span<std::uint8_t, public_key_size<ShakeM24>>);

}  // namespace quoin::core::lms
