#include "core/crypto/ml_kem/kem.hpp"

namespace quoin::core::ml_kem {

template void encapsulate<Set512, Avx512>(SharedSecret,
                                          std::span<std::uint8_t, Set512::ciphertext_size>,
                                          EncapsulationKey<Set512>, Random,
                                          Workspace<Set512, Avx512>&);
template void encapsulate<Set768, Avx512>(SharedSecret,
                                          std::span<std::uint8_t, Set768::ciphertext_size>,
                                          EncapsulationKey<Set768>, Random,
                                          Workspace<Set768, Avx512>&);
template void encapsulate<Set1024, Avx512>(SharedSecret,
                                           std::span<std::uint8_t, Set1024::ciphertext_size>,
                                           EncapsulationKey<Set1024>, Random,
                                           Workspace<Set1024, Avx512>&);

}  // namespace quoin::core::ml_kem
