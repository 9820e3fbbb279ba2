#include "core/crypto/slh_dsa/keygen_impl.hpp"

namespace quoin::core::slh_dsa {

template void keygen<Shake_128s, Avx2>(std::span<const std::uint8_t, 3 * Shake_128s::n>,
                                       std::span<std::uint8_t, Shake_128s::private_key_size>);
template void keygen<Shake_128f, Avx2>(std::span<const std::uint8_t, 3 * Shake_128f::n>,
                                       std::span<std::uint8_t, Shake_128f::private_key_size>);

}  // namespace quoin::core::slh_dsa
