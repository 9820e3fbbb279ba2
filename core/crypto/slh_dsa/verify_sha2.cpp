#include "core/crypto/slh_dsa/verify_impl.hpp"

namespace quoin::core::slh_dsa {

template Result<void> verify<Sha2_128s, Portable>(
    std::span<const std::uint8_t, Sha2_128s::public_key_size>, Bytes, Bytes, Bytes);
template Result<void> verify<Sha2_128f, Portable>(
    std::span<const std::uint8_t, Sha2_128f::public_key_size>, Bytes, Bytes, Bytes);
template Result<void> verify<Sha2_192s, Portable>(
    std::span<const std::uint8_t, Sha2_192s::public_key_size>, Bytes, Bytes, Bytes);
template Result<void> verify<Sha2_192f, Portable>(
    std::span<const std::uint8_t, Sha2_192f::public_key_size>, Bytes, Bytes, Bytes);
template Result<void> verify<Sha2_256s, Portable>(
    std::span<const std::uint8_t, Sha2_256s::public_key_size>, Bytes, Bytes, Bytes);
template Result<void> verify<Sha2_256f, Portable>(
    std::span<const std::uint8_t, Sha2_256f::public_key_size>, Bytes, Bytes, Bytes);

}  // namespace quoin::core::slh_dsa
