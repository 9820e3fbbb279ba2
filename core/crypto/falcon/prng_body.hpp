// ChaCha20, for any vector of eight words.
#pragma once

#include "core/crypto/falcon/prng.hpp"

namespace quoin::core::falcon {

// V: + ^ of words, rotate<bits>(), all(word), counting(first), store(bytes, little-endian).
template <class V>
[[gnu::always_inline]] inline void quarter_round(V& a, V& b, V& c, V& d) {
    a = a + b, d = (d ^ a).template rotate<16>();
    c = c + d, b = (b ^ c).template rotate<12>();
    a = a + b, d = (d ^ a).template rotate<8>();
    c = c + d, b = (b ^ c).template rotate<7>();
}

template <class V>
void chacha20_blocks(PrngState& state, std::size_t j) {
    std::array<V, 16> x;
    for (std::size_t i = 0; i < 4; ++i) {
        constexpr std::array<std::uint32_t, 4> constants{0x61707865, 0x3320646e, 0x79622d32,
                                                         0x6b206574};
        x[i] = V::all(constants[i]);
        x[4 + i] = V::all(state.key[i]);
        x[8 + i] = V::all(state.key[4 + i]);
        x[12 + i] = V::all(0);
    }
    x[12] = V::counting(state.counter + static_cast<std::uint32_t>(j));
    const std::array<V, 16> start = x;
    for (int round = 0; round < 20; round += 2) {
        for (std::size_t i = 0; i < 4; ++i) quarter_round(x[i], x[4 + i], x[8 + i], x[12 + i]);
        for (std::size_t i = 0; i < 4; ++i) {
            quarter_round(x[i], x[4 + (i + 1) % 4], x[8 + (i + 2) % 4], x[12 + (i + 3) % 4]);
        }
    }
    for (std::size_t i = 0; i < 16; ++i) {
        (x[i] + start[i]).store(state.stream.data() + 32 * i + 4 * j);
    }
}

}  // namespace quoin::core::falcon
