#include "core/crypto/lms/signer_impl.hpp"

namespace quoin::core::lms {

template class Signer<Sha256M32, Portable>;
template void write_public_key<Sha256M32>(const PrivateKey<Sha256M32>&, const Tree<Sha256M32>&,
                                          std::span<std::uint8_t, public_key_size<Sha256M32>>);
template class Signer<Sha256M24, Portable>;
template void write_public_key<Sha256M24>(const PrivateKey<Sha256M24>&, const Tree<Sha256M24>&,
                                          std::span<std::uint8_t, public_key_size<Sha256M24>>);

}  // namespace quoin::core::lms
