// What is keyed on Avx2 or FourLanes is compiled for AVX2; the rest is included before.
#include "core/crypto/falcon/compress.hpp"
#include "core/crypto/falcon/hash_to_point.hpp"
#include "core/crypto/falcon/roots.hpp"
#include "core/crypto/falcon/sampler.hpp"
#include "core/crypto/falcon/signing.hpp"
#include "core/crypto/falcon/wiped.hpp"
#include "core/crypto/target_avx2.hpp"
//
#include "core/crypto/falcon/avx2.hpp"
#include "core/crypto/falcon/sign_body.hpp"

namespace quoin::core::falcon {

#define QUOIN_FALCON_INSTANTIATE(Set)                                                              \
    template Result<std::size_t> sign<Set, Avx2>(PrivateKey<Set>, Bytes, Randomness, Format,       \
                                                 SignatureBuffer<Set>, SignWorkspace<Set, Avx2>&); \
    template Result<void> public_key_of<Set, Avx2>(PrivateKey<Set>,                                \
                                                   std::span<std::uint8_t, Set::public_key_size>,  \
                                                   SignWorkspace<Set, Avx2>&);                     \
    template class LoadedPrivateKey<Set, Avx2>

QUOIN_FALCON_INSTANTIATE(Set512);
QUOIN_FALCON_INSTANTIATE(Set1024);

}  // namespace quoin::core::falcon

#include "core/crypto/target_pop.hpp"
