#include "core/crypto/ml_dsa/sign_body.hpp"

namespace quoin::core::ml_dsa {

template Result<void> sign<Set44, Portable>(PrivateKey<Set44>, Bytes, const Context&, Randomness,
                                            std::span<std::uint8_t, Set44::signature_size>,
                                            SignWorkspace<Set44, Portable>&);
template Result<void> sign_mu<Set44, Portable>(PrivateKey<Set44>, const Mu&, Randomness,
                                               std::span<std::uint8_t, Set44::signature_size>,
                                               SignWorkspace<Set44, Portable>&);
template Result<void> sign<Set65, Portable>(PrivateKey<Set65>, Bytes, const Context&, Randomness,
                                            std::span<std::uint8_t, Set65::signature_size>,
                                            SignWorkspace<Set65, Portable>&);
template Result<void> sign_mu<Set65, Portable>(PrivateKey<Set65>, const Mu&, Randomness,
                                               std::span<std::uint8_t, Set65::signature_size>,
                                               SignWorkspace<Set65, Portable>&);
template Result<void> sign<Set87, Portable>(PrivateKey<Set87>, Bytes, const Context&, Randomness,
                                            std::span<std::uint8_t, Set87::signature_size>,
                                            SignWorkspace<Set87, Portable>&);
template Result<void> sign_mu<Set87, Portable>(PrivateKey<Set87>, const Mu&, Randomness,
                                               std::span<std::uint8_t, Set87::signature_size>,
                                               SignWorkspace<Set87, Portable>&);

template class LoadedPrivateKey<Set44, Portable>;
template class LoadedPrivateKey<Set65, Portable>;
template class LoadedPrivateKey<Set87, Portable>;

}  // namespace quoin::core::ml_dsa
