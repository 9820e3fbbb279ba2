// HashToPoint: specification, Algorithm 3. For falcon/ only.
#pragma once

#include "core/crypto/falcon/ring.hpp"
#include "core/crypto/keccak/keccak.hpp"

namespace quoin::core::falcon {

// c from what the XOF was given, centred: |c| <= q / 2. What the XOF has beyond may be used. The
// hash is public: rejections show.
template <class Set, class Backend>
void hash_to_point(Poly<Set>& c, keccak::Shake256<Backend>& xof) {
    constexpr std::uint32_t k = (1U << 16U) / q;  // line 1: samples below k q are accepted
    std::array<std::uint8_t, keccak::Shake256<Backend>::rate> block;
    for (std::size_t i = 0; i < Set::n;) {
        xof.squeeze(block);
        for (std::size_t at = 0; at < block.size() && i < Set::n; at += 2) {
            const std::uint32_t t = std::uint32_t{block[at]} << 8U | block[at + 1];
            c.c[i] = center(static_cast<std::int32_t>(t % q));  // lines 6 to 9, without a branch
            i += t < k * q ? 1 : 0;
        }
    }
}

}  // namespace quoin::core::falcon
