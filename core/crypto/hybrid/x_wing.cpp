#include "core/crypto/hybrid/x_wing_body.hpp"

namespace quoin::core::hybrid::x_wing {

static_assert(sizeof(Workspace<Portable>) == 7968);

template void public_key<Portable>(Seed, std::span<std::uint8_t, public_key_size>,
                                   Workspace<Portable>&);
template Result<void> encapsulate<Portable>(PublicKey,
                                            std::span<const std::uint8_t, randomness_size>,
                                            std::span<std::uint8_t, ciphertext_size>, SharedSecret,
                                            Workspace<Portable>&);
template Result<void> decapsulate<Portable>(Seed, Ciphertext, SharedSecret, Workspace<Portable>&);

}  // namespace quoin::core::hybrid::x_wing
