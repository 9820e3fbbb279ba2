#include "core/crypto/falcon/sign_body.hpp"

namespace quoin::core::falcon {

#define QUOIN_FALCON_INSTANTIATE(Set)                                                            \
    template Result<std::size_t> sign<Set, Portable>(PrivateKey<Set>, Bytes, Randomness, Format, \
                                                     SignatureBuffer<Set>,                       \
                                                     SignWorkspace<Set, Portable>&);             \
    template Result<void> public_key_of<Set, Portable>(                                          \
        PrivateKey<Set>, std::span<std::uint8_t, Set::public_key_size>,                          \
        SignWorkspace<Set, Portable>&);                                                          \
    template class LoadedPrivateKey<Set, Portable>

QUOIN_FALCON_INSTANTIATE(Set512);
QUOIN_FALCON_INSTANTIATE(Set1024);

}  // namespace quoin::core::falcon
