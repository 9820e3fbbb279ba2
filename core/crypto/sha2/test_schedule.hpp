// For tests: the message schedule of SHA-2, as who looks for its traces needs it. Any sixteen words
// in a row give the block away.
#pragma once

#include "core/crypto/sha2/rounds.hpp"

namespace quoin::core::sha2 {

// FIPS 180-4, 6.2.2 and 6.4.2, step 1.
template <class Functions, std::size_t Rounds, class Word = Functions::Word>
std::array<Word, Rounds> schedule_of(const std::array<std::uint8_t, 16 * sizeof(Word)>& block) {
    std::array<Word, Rounds> w{};
    for (std::size_t t = 0; t < 16; ++t) w[t] = load_big_endian<Word>(&block[sizeof(Word) * t]);
    for (std::size_t t = 16; t < Rounds; ++t) {
        w[t] = Functions::sigma_1(w[t - 2]) + w[t - 7] + Functions::sigma_0(w[t - 15]) + w[t - 16];
    }
    return w;
}

}  // namespace quoin::core::sha2
