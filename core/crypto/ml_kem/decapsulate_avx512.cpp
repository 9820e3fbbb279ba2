#include "core/crypto/ml_kem/kem.hpp"

namespace quoin::core::ml_kem {

template void decapsulate<Set512, Avx512>(SharedSecret, DecapsulationKey<Set512>,
                                          std::span<const std::uint8_t, Set512::ciphertext_size>,
                                          Workspace<Set512, Avx512>&);
template void decapsulate<Set768, Avx512>(SharedSecret, DecapsulationKey<Set768>,
                                          std::span<const std::uint8_t, Set768::ciphertext_size>,
                                          Workspace<Set768, Avx512>&);
template void decapsulate<Set1024, Avx512>(SharedSecret, DecapsulationKey<Set1024>,
                                           std::span<const std::uint8_t, Set1024::ciphertext_size>,
                                           Workspace<Set1024, Avx512>&);

}  // namespace quoin::core::ml_kem
