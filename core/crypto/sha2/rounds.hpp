// The round function that SHA-256 and SHA-512 share, in plain C++.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "core/base/bytes.hpp"

namespace quoin::core::sha2 {

// FIPS 180-4, 4.1.2 and 4.1.3: Sigma by three rotations, sigma by two rotations and a shift.
template <int A, int B, int C, class Word>
constexpr Word big_sigma(Word x) {
    return std::rotr(x, A) ^ std::rotr(x, B) ^ std::rotr(x, C);
}
template <int A, int B, int C, class Word>
constexpr Word small_sigma(Word x) {
    return std::rotr(x, A) ^ std::rotr(x, B) ^ (x >> static_cast<unsigned>(C));
}

struct Functions256 {
    using Word = std::uint32_t;
    static constexpr Word sigma_0(Word x) { return small_sigma<7, 18, 3>(x); }
    static constexpr Word sigma_1(Word x) { return small_sigma<17, 19, 10>(x); }
    static constexpr Word sum_0(Word x) { return big_sigma<2, 13, 22>(x); }
    static constexpr Word sum_1(Word x) { return big_sigma<6, 11, 25>(x); }
};
struct Functions512 {
    using Word = std::uint64_t;
    static constexpr Word sigma_0(Word x) { return small_sigma<1, 8, 7>(x); }
    static constexpr Word sigma_1(Word x) { return small_sigma<19, 61, 6>(x); }
    static constexpr Word sum_0(Word x) { return big_sigma<28, 34, 39>(x); }
    static constexpr Word sum_1(Word x) { return big_sigma<14, 18, 41>(x); }
};

template <class Word>
constexpr Word load_big_endian(const std::uint8_t* bytes) {
    Word word = 0;
    for (std::size_t i = 0; i < sizeof(Word); ++i) word = (word << 8U) | bytes[i];
    return word;
}

// One round, without moving the eight variables: the caller names them anew in each.
template <class F, class Word = F::Word>
constexpr void round(Word a, Word b, Word c, Word& d, Word e, Word f, Word g, Word& h, Word kw) {
    const Word t1 = h + F::sum_1(e) + (g ^ (e & (f ^ g))) + kw;  // Ch(e, f, g)
    const Word t2 = F::sum_0(a) + ((a & b) | (c & (a | b)));     // Maj(a, b, c)
    d += t1;
    h = t1 + t2;
}

// FIPS 180-4, 6.2.2 step 1 and 6.4.2 step 1: the next sixteen words in place of the last sixteen.
template <class F, class Word = F::Word>
constexpr void extend(std::array<Word, 16>& w) {
    for (std::size_t t = 0; t < 16; ++t) {
        w[t] += F::sigma_0(w[(t + 1) % 16]) + w[(t + 9) % 16] + F::sigma_1(w[(t + 14) % 16]);
    }
}

template <class F, std::size_t Rounds, class Word = F::Word>
void compress_block(std::array<Word, 8>& state, const std::uint8_t* block,
                    const std::array<Word, Rounds>& k) {
    std::array<Word, 16> w{};
    for (std::size_t t = 0; t < 16; ++t) w[t] = load_big_endian<Word>(block + sizeof(Word) * t);
    auto [a, b, c, d, e, f, g, h] = state;
    for (std::size_t t = 0; t < Rounds; t += 8) {
        if (t != 0 && t % 16 == 0) extend<F>(w);
        const Word* const kt = &k[t];
        const Word* const wt = &w[t % 16];
        round<F>(a, b, c, d, e, f, g, h, kt[0] + wt[0]);
        round<F>(h, a, b, c, d, e, f, g, kt[1] + wt[1]);
        round<F>(g, h, a, b, c, d, e, f, kt[2] + wt[2]);
        round<F>(f, g, h, a, b, c, d, e, kt[3] + wt[3]);
        round<F>(e, f, g, h, a, b, c, d, kt[4] + wt[4]);
        round<F>(d, e, f, g, h, a, b, c, kt[5] + wt[5]);
        round<F>(c, d, e, f, g, h, a, b, kt[6] + wt[6]);
        round<F>(b, c, d, e, f, g, h, a, kt[7] + wt[7]);
    }
    const std::array<Word, 8> out = {a, b, c, d, e, f, g, h};
    for (std::size_t i = 0; i < 8; ++i) state[i] += out[i];
}

}  // namespace quoin::core::sha2
