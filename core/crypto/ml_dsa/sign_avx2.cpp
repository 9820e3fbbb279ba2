#include "core/crypto/ml_dsa/avx2.hpp"
#include "core/crypto/ml_dsa/sign_body.hpp"

namespace quoin::core::ml_dsa {

template Result<void> sign<Set44, Avx2>(PrivateKey<Set44>, Bytes, const Context&, Randomness,
                                        std::span<std::uint8_t, Set44::signature_size>,
                                        SignWorkspace<Set44, Avx2>&);
template Result<void> sign_mu<Set44, Avx2>(PrivateKey<Set44>, const Mu&, Randomness,
                                           std::span<std::uint8_t, Set44::signature_size>,
                                           SignWorkspace<Set44, Avx2>&);
template Result<void> sign<Set65, Avx2>(PrivateKey<Set65>, Bytes, const Context&, Randomness,
                                        std::span<std::uint8_t, Set65::signature_size>,
                                        SignWorkspace<Set65, Avx2>&);
template Result<void> sign_mu<Set65, Avx2>(PrivateKey<Set65>, const Mu&, Randomness,
                                           std::span<std::uint8_t, Set65::signature_size>,
                                           SignWorkspace<Set65, Avx2>&);
template Result<void> sign<Set87, Avx2>(PrivateKey<Set87>, Bytes, const Context&, Randomness,
                                        std::span<std::uint8_t, Set87::signature_size>,
                                        SignWorkspace<Set87, Avx2>&);
template Result<void> sign_mu<Set87, Avx2>(PrivateKey<Set87>, const Mu&, Randomness,
                                           std::span<std::uint8_t, Set87::signature_size>,
                                           SignWorkspace<Set87, Avx2>&);

template Result<void> sign<Set44, Avx512>(PrivateKey<Set44>, Bytes, const Context&, Randomness,
                                          std::span<std::uint8_t, Set44::signature_size>,
                                          SignWorkspace<Set44, Avx512>&);
template Result<void> sign_mu<Set44, Avx512>(PrivateKey<Set44>, const Mu&, Randomness,
                                             std::span<std::uint8_t, Set44::signature_size>,
                                             SignWorkspace<Set44, Avx512>&);
template Result<void> sign<Set65, Avx512>(PrivateKey<Set65>, Bytes, const Context&, Randomness,
                                          std::span<std::uint8_t, Set65::signature_size>,
                                          SignWorkspace<Set65, Avx512>&);
template Result<void> sign_mu<Set65, Avx512>(PrivateKey<Set65>, const Mu&, Randomness,
                                             std::span<std::uint8_t, Set65::signature_size>,
                                             SignWorkspace<Set65, Avx512>&);
template Result<void> sign<Set87, Avx512>(PrivateKey<Set87>, Bytes, const Context&, Randomness,
                                          std::span<std::uint8_t, Set87::signature_size>,
                                          SignWorkspace<Set87, Avx512>&);
template Result<void> sign_mu<Set87, Avx512>(PrivateKey<Set87>, const Mu&, Randomness,
                                             std::span<std::uint8_t, Set87::signature_size>,
                                             SignWorkspace<Set87, Avx512>&);

template class LoadedPrivateKey<Set44, Avx2>;
template class LoadedPrivateKey<Set65, Avx2>;
template class LoadedPrivateKey<Set87, Avx2>;
template class LoadedPrivateKey<Set44, Avx512>;
template class LoadedPrivateKey<Set65, Avx512>;
template class LoadedPrivateKey<Set87, Avx512>;

}  // namespace quoin::core::ml_dsa
