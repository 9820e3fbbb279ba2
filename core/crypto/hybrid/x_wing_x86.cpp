// Nothing here is compiled for AVX2 or AVX-512: it calls the objects that are.
#include "core/crypto/hybrid/x_wing_body.hpp"

namespace quoin::core::hybrid::x_wing {

template void public_key<Avx2>(Seed, std::span<std::uint8_t, public_key_size>, Workspace<Avx2>&);
template Result<void> encapsulate<Avx2>(PublicKey, std::span<const std::uint8_t, randomness_size>,
                                        std::span<std::uint8_t, ciphertext_size>, SharedSecret,
                                        Workspace<Avx2>&);
template Result<void> decapsulate<Avx2>(Seed, Ciphertext, SharedSecret, Workspace<Avx2>&);

template void public_key<Avx512>(Seed, std::span<std::uint8_t, public_key_size>,
                                 Workspace<Avx512>&);
template Result<void> encapsulate<Avx512>(PublicKey, std::span<const std::uint8_t, randomness_size>,
                                          std::span<std::uint8_t, ciphertext_size>, SharedSecret,
                                          Workspace<Avx512>&);
template Result<void> decapsulate<Avx512>(Seed, Ciphertext, SharedSecret, Workspace<Avx512>&);

}  // namespace quoin::core::hybrid::x_wing
