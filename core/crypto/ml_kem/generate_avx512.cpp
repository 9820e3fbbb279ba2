#include "core/crypto/ml_kem/kem.hpp"

namespace quoin::core::ml_kem {

template void generate<Set512, Avx512>(std::span<std::uint8_t, Set512::encapsulation_key_size>,
                                       std::span<std::uint8_t, Set512::decapsulation_key_size>,
                                       Random, Random, Workspace<Set512, Avx512>&);
template void generate<Set768, Avx512>(std::span<std::uint8_t, Set768::encapsulation_key_size>,
                                       std::span<std::uint8_t, Set768::decapsulation_key_size>,
                                       Random, Random, Workspace<Set768, Avx512>&);
template void generate<Set1024, Avx512>(std::span<std::uint8_t, Set1024::encapsulation_key_size>,
                                        std::span<std::uint8_t, Set1024::decapsulation_key_size>,
                                        Random, Random, Workspace<Set1024, Avx512>&);

}  // namespace quoin::core::ml_kem
