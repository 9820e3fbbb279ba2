#include "core/crypto/ml_dsa/avx2.hpp"
#include "core/crypto/ml_dsa/keygen_body.hpp"

namespace quoin::core::ml_dsa {

template void keygen<Set44, Avx2>(const Seed&, std::span<std::uint8_t, Set44::public_key_size>,
                                  std::span<std::uint8_t, Set44::private_key_size>,
                                  KeygenWorkspace<Set44, Avx2>&);
template void keygen<Set65, Avx2>(const Seed&, std::span<std::uint8_t, Set65::public_key_size>,
                                  std::span<std::uint8_t, Set65::private_key_size>,
                                  KeygenWorkspace<Set65, Avx2>&);
template void keygen<Set87, Avx2>(const Seed&, std::span<std::uint8_t, Set87::public_key_size>,
                                  std::span<std::uint8_t, Set87::private_key_size>,
                                  KeygenWorkspace<Set87, Avx2>&);

template void keygen<Set44, Avx512>(const Seed&, std::span<std::uint8_t, Set44::public_key_size>,
                                    std::span<std::uint8_t, Set44::private_key_size>,
                                    KeygenWorkspace<Set44, Avx512>&);
template void keygen<Set65, Avx512>(const Seed&, std::span<std::uint8_t, Set65::public_key_size>,
                                    std::span<std::uint8_t, Set65::private_key_size>,
                                    KeygenWorkspace<Set65, Avx512>&);
template void keygen<Set87, Avx512>(const Seed&, std::span<std::uint8_t, Set87::public_key_size>,
                                    std::span<std::uint8_t, Set87::private_key_size>,
                                    KeygenWorkspace<Set87, Avx512>&);

}  // namespace quoin::core::ml_dsa
