#include "core/crypto/falcon/keygen_body.hpp"

namespace quoin::core::falcon {

template Result<void> keygen<Set512, Portable>(const Seed&,
                                               std::span<std::uint8_t, Set512::public_key_size>,
                                               std::span<std::uint8_t, Set512::private_key_size>,
                                               KeygenWorkspace<Set512, Portable>&);
template Result<void> keygen<Set1024, Portable>(const Seed&,
                                                std::span<std::uint8_t, Set1024::public_key_size>,
                                                std::span<std::uint8_t, Set1024::private_key_size>,
                                                KeygenWorkspace<Set1024, Portable>&);

}  // namespace quoin::core::falcon
