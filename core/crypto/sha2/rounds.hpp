// The round function that SHA-256 and SHA-512 share, in plain C++.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>

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

// Round T of sixteen, FIPS 180-4, 6.2.2 and 6.4.2, steps 1 and 3. The eight variables stay where
// they are and change their names: in round T, a is v[-T mod 8]. `Extends`: w[T] becomes the word
// of sixteen rounds later first, made of those of 16, 15, 7 and 2 rounds before.
template <class F, bool Extends, std::size_t T, class Word = F::Word>
inline void round(std::array<Word, 8>& v, std::array<Word, 16>& w, const Word* k) {
    const auto name = [&v](std::size_t i) -> Word& { return v[(i + 16 - T) % 8]; };
    const Word a = name(0), b = name(1), c = name(2), e = name(4), f = name(5), g = name(6);
    if constexpr (Extends) {
        w[T] += F::sigma_0(w[(T + 1) % 16]) + w[(T + 9) % 16] + F::sigma_1(w[(T + 14) % 16]);
    }
    const Word ch = g ^ (e & (f ^ g)), maj = b ^ ((a ^ b) & (b ^ c));
    const Word t1 = name(7) + F::sum_1(e) + ch + k[T] + w[T];
    name(3) += t1;
    name(7) = t1 + F::sum_0(a) + maj;
}

template <class F, bool Extends, class Word = F::Word, std::size_t... Ts>
inline void sixteen_rounds(std::array<Word, 8>& v, std::array<Word, 16>& w, const Word* k,
                           std::index_sequence<Ts...>) {
    (round<F, Extends, Ts>(v, w, k), ...);
}

template <class F, std::size_t Rounds, class Word = F::Word>
void compress_block(std::array<Word, 8>& state, const std::uint8_t* block,
                    const std::array<Word, Rounds>& k) {
    constexpr auto all = std::make_index_sequence<16>();
    std::array<Word, 16> w{};
    for (std::size_t t = 0; t < 16; ++t) w[t] = load_big_endian<Word>(block + sizeof(Word) * t);
    std::array<Word, 8> v = state;
    sixteen_rounds<F, false>(v, w, k.data(), all);
    for (std::size_t t = 16; t < Rounds; t += 16) sixteen_rounds<F, true>(v, w, &k[t], all);
    for (std::size_t i = 0; i < 8; ++i) state[i] += v[i];
}

}  // namespace quoin::core::sha2
