#include "core/crypto/slh_dsa/verify_impl.hpp"

namespace quoin::core::slh_dsa {

template Result<void> verify<Shake_128s, Portable>(
    std::span<const std::uint8_t, Shake_128s::public_key_size>, Bytes, Bytes, Bytes);
template Result<void> verify<Shake_128f, Portable>(
    std::span<const std::uint8_t, Shake_128f::public_key_size>, Bytes, Bytes, Bytes);
template Result<void> verify<Shake_192s, Portable>(
    std::span<const std::uint8_t, Shake_192s::public_key_size>, Bytes, Bytes, Bytes);
template Result<void> verify<Shake_192f, Portable>(
    std::span<const std::uint8_t, Shake_192f::public_key_size>, Bytes, Bytes, Bytes);
template Result<void> verify<Shake_256s, Portable>(
    std::span<const std::uint8_t, Shake_256s::public_key_size>, Bytes, Bytes, Bytes);
template Result<void> verify<Shake_256f, Portable>(
    std::span<const std::uint8_t, Shake_256f::public_key_size>, Bytes, Bytes, Bytes);

}  // namespace quoin::core::slh_dsa
