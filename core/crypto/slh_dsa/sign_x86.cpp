#include "core/crypto/slh_dsa/sign_impl.hpp"

namespace quoin::core::slh_dsa {

template Result<void> sign<Shake_128s, Avx2>(
    std::span<const std::uint8_t, Shake_128s::private_key_size>, Bytes, Bytes,
    std::span<const std::uint8_t, Shake_128s::n>,
    std::span<std::uint8_t, Shake_128s::signature_size>);
template Result<void> sign<Shake_128f, Avx2>(
    std::span<const std::uint8_t, Shake_128f::private_key_size>, Bytes, Bytes,
    std::span<const std::uint8_t, Shake_128f::n>,
    std::span<std::uint8_t, Shake_128f::signature_size>);

}  // namespace quoin::core::slh_dsa
