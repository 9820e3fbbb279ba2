#include "core/crypto/falcon/keygen_body.hpp"

namespace quoin::core::falcon {

template Result<void> keygen<Set512, Integer>(const Seed&,
                                              std::span<std::uint8_t, Set512::public_key_size>,
                                              std::span<std::uint8_t, Set512::private_key_size>,
                                              KeygenWorkspace<Set512, Integer>&);
template Result<void> keygen<Set1024, Integer>(const Seed&,
                                               std::span<std::uint8_t, Set1024::public_key_size>,
                                               std::span<std::uint8_t, Set1024::private_key_size>,
                                               KeygenWorkspace<Set1024, Integer>&);

}  // namespace quoin::core::falcon
