#include "core/crypto/slh_dsa/verify_impl.hpp"

namespace quoin::core::slh_dsa {

template Result<void> verify<Sha2_128s, ShaNi>(
    std::span<const std::uint8_t, Sha2_128s::public_key_size>, Bytes, Bytes, Bytes);
template Result<void> verify<Sha2_128f, ShaNi>(
    std::span<const std::uint8_t, Sha2_128f::public_key_size>, Bytes, Bytes, Bytes);
template Result<void> verify<Sha2_192s, ShaNi>(
    std::span<const std::uint8_t, Sha2_192s::public_key_size>, Bytes, Bytes, Bytes);
template Result<void> verify<Sha2_192f, ShaNi>(
    std::span<const std::uint8_t, Sha2_192f::public_key_size>, Bytes, Bytes, Bytes);
template Result<void> verify<Sha2_256s, ShaNi>(
    std::span<const std::uint8_t, Sha2_256s::public_key_size>, Bytes, Bytes, Bytes);
template Result<void> verify<Sha2_256f, ShaNi>(
    std::span<const std::uint8_t, Sha2_256f::public_key_size>, Bytes, Bytes, Bytes);
template Result<void> verify<Sha2_128s, Avx2>(
    std::span<const std::uint8_t, Sha2_128s::public_key_size>, Bytes, Bytes, Bytes);
template Result<void> verify<Sha2_128f, Avx2>(
    std::span<const std::uint8_t, Sha2_128f::public_key_size>, Bytes, Bytes, Bytes);
template Result<void> verify<Sha2_192s, Avx2>(
    std::span<const std::uint8_t, Sha2_192s::public_key_size>, Bytes, Bytes, Bytes);
template Result<void> verify<Sha2_192f, Avx2>(
    std::span<const std::uint8_t, Sha2_192f::public_key_size>, Bytes, Bytes, Bytes);
template Result<void> verify<Sha2_256s, Avx2>(
    std::span<const std::uint8_t, Sha2_256s::public_key_size>, Bytes, Bytes, Bytes);
template Result<void> verify<Sha2_256f, Avx2>(
    std::span<const std::uint8_t, Sha2_256f::public_key_size>, Bytes, Bytes, Bytes);
template Result<void> verify<Shake_128s, Avx2>(
    std::span<const std::uint8_t, Shake_128s::public_key_size>, Bytes, Bytes, Bytes);
template Result<void> verify<Shake_128f, Avx2>(
    std::span<const std::uint8_t, Shake_128f::public_key_size>, Bytes, Bytes, Bytes);
template Result<void> verify<Shake_192s, Avx2>(
    std::span<const std::uint8_t, Shake_192s::public_key_size>, Bytes, Bytes, Bytes);
template Result<void> verify<Shake_192f, Avx2>(
    std::span<const std::uint8_t, Shake_192f::public_key_size>, Bytes, Bytes, Bytes);
template Result<void> verify<Shake_256s, Avx2>(
    std::span<const std::uint8_t, Shake_256s::public_key_size>, Bytes, Bytes, Bytes);
template Result<void> verify<Shake_256f, Avx2>(
    std::span<const std::uint8_t, Shake_256f::public_key_size>, Bytes, Bytes, Bytes);

}  // namespace quoin::core::slh_dsa
