// The one source of Keccak-f[1600], for any Word that has ^, and_not, rotate_left and of_constant.
//
// A Word is one lane of one or several states. Included by the .cpp of each backend, for Avx2
// inside its target region; keyed on the backend, so that no two of them share an instantiation.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace quoin::core::keccak {

// RC of FIPS 202, algorithm 5 and 6: bit 2^j - 1 of round i is rc(j + 7 i).
consteval std::array<std::uint64_t, 24> make_round_constants() {
    std::array<std::uint64_t, 24> constants{};
    unsigned shift_register = 1;
    for (std::uint64_t& constant : constants) {
        for (unsigned j = 0; j < 7; ++j) {
            if ((shift_register & 1U) != 0) constant |= std::uint64_t{1} << ((1U << j) - 1);
            shift_register <<= 1U;
            if ((shift_register & 0x100U) != 0) shift_register ^= 0x171U;
        }
    }
    return constants;
}

// The offsets of rho: FIPS 202, algorithm 2, modulo 64.
consteval std::array<unsigned, 25> make_offsets() {
    std::array<unsigned, 25> offsets{};
    unsigned x = 1;
    unsigned y = 0;
    for (unsigned t = 0; t < 24; ++t) {
        offsets[x + 5 * y] = ((t + 1) * (t + 2) / 2) % 64;
        const unsigned next = (2 * x + 3 * y) % 5;
        x = y;
        y = next;
    }
    return offsets;
}

inline constexpr std::array<std::uint64_t, 24> round_constants = make_round_constants();
inline constexpr std::array<unsigned, 25> rho_offsets = make_offsets();

template <class Backend, class Word>
struct Rounds {
    using Lanes = std::array<Word, 25>;
    using Sheet = std::array<Word, 5>;

    // theta's D: FIPS 202, algorithm 1, steps 1 and 2.
    [[gnu::always_inline]] static void theta(const Lanes& a, Sheet& d) {
        Sheet c;
        c[0] = xor_five(a[0], a[5], a[10], a[15], a[20]);
        c[1] = xor_five(a[1], a[6], a[11], a[16], a[21]);
        c[2] = xor_five(a[2], a[7], a[12], a[17], a[22]);
        c[3] = xor_five(a[3], a[8], a[13], a[18], a[23]);
        c[4] = xor_five(a[4], a[9], a[14], a[19], a[24]);
        d[0] = c[4] ^ rotate_left<1>(c[1]);
        d[1] = c[0] ^ rotate_left<1>(c[2]);
        d[2] = c[1] ^ rotate_left<1>(c[3]);
        d[3] = c[2] ^ rotate_left<1>(c[4]);
        d[4] = c[3] ^ rotate_left<1>(c[0]);
    }

    // Lane (X, Y) after theta, rho and pi: it comes from x = X + 3 Y, y = X (algorithm 3).
    template <std::size_t X, std::size_t Y>
    [[gnu::always_inline]] static Word moved(const Lanes& a, const Sheet& d) {
        constexpr std::size_t x = (X + 3 * Y) % 5;
        constexpr std::size_t from = x + 5 * X;
        if constexpr (rho_offsets[from] == 0) {
            return a[from] ^ d[x];
        } else {
            return rotate_left<rho_offsets[from]>(a[from] ^ d[x]);
        }
    }

    // One plane of the next state: theta, rho, pi, and chi (algorithm 4).
    template <std::size_t Y>
    [[gnu::always_inline]] static void plane(const Lanes& a, const Sheet& d, Lanes& e) {
        const Word b0 = moved<0, Y>(a, d);
        const Word b1 = moved<1, Y>(a, d);
        const Word b2 = moved<2, Y>(a, d);
        const Word b3 = moved<3, Y>(a, d);
        const Word b4 = moved<4, Y>(a, d);
        e[5 * Y + 0] = chi(b0, b1, b2);
        e[5 * Y + 1] = chi(b1, b2, b3);
        e[5 * Y + 2] = chi(b2, b3, b4);
        e[5 * Y + 3] = chi(b3, b4, b0);
        e[5 * Y + 4] = chi(b4, b0, b1);
    }

    [[gnu::always_inline]] static void round(const Lanes& a, Lanes& e, std::size_t i) {
        Sheet d;
        theta(a, d);
        plane<0>(a, d, e);
        plane<1>(a, d, e);
        plane<2>(a, d, e);
        plane<3>(a, d, e);
        plane<4>(a, d, e);
        e[0] = e[0] ^ Word::of_constant(i);  // iota
    }

    // load(i) gives lane i, store(i, word) takes it. No loop over lanes: indices that the compiler
    // does not know would keep the state in memory.
    template <class Load, class Store>
    [[gnu::always_inline]] static void permute(Load load, Store store) {
        constexpr auto all = std::make_index_sequence<25>();
        Lanes a = [&]<std::size_t... I>(std::index_sequence<I...>) {
            return Lanes{load(I)...};
        }(all);
        Lanes e;
        for (std::size_t i = 0; i < 24; i += 2) {
            round(a, e, i);
            round(e, a, i + 1);
        }
        [&]<std::size_t... I>(std::index_sequence<I...>) { (store(I, a[I]), ...); }(all);
    }
};

}  // namespace quoin::core::keccak
