// AES as a circuit over the bits of several blocks at once: no tables, no branches. Two blocks in
// 32-bit words, or twice that in the two halves of 64-bit words.
//
// Word i holds bit i of every byte. In each half of 32 bits, byte r is the row r of the state, and
// bit 2 * c + b of that byte belongs to column c of block b.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/base/constant_time.hpp"
#include "core/base/endian.hpp"
#include "core/crypto/aes/cipher.hpp"

namespace quoin::core::aes_gcm {

template <class Word>
using Slices = std::array<Word, 8>;

// `mask` in every half of 32 bits.
template <class Word>
constexpr Word in_halves(std::uint32_t mask) {
    return static_cast<Word>(mask * (~Word{0} / 0xffffffffU));
}

template <unsigned Shift, class Word>
constexpr void exchange(Word& a, Word& b, std::uint32_t mask) {
    const Word t = ((a >> Shift) ^ b) & in_halves<Word>(mask);
    b ^= t;
    a ^= t << Shift;
}

// Bit i of word j becomes bit j of word i, in each byte: to slices and back.
template <class Word>
constexpr void transpose(Slices<Word>& q) {
    for (std::size_t i = 0; i < 8; i += 2) exchange<1>(q[i], q[i + 1], 0x55555555);
    for (const std::size_t i : {0U, 1U, 4U, 5U}) exchange<2>(q[i], q[i + 2], 0x33333333);
    for (std::size_t i = 0; i < 4; ++i) exchange<4>(q[i], q[i + 4], 0x0f0f0f0f);
}

// SubBytes, FIPS 197, 5.1.1, as the circuit of J. Boyar and R. Peralta, "A depth-16 circuit for the
// AES S-box" (2011): 128 gates; their names, the most significant bit first.
template <class Word>
void sub_bytes(Slices<Word>& q);

// ShiftRows, FIPS 197, 5.1.2: row r turns by r columns, two bits each.
template <class Word>
constexpr void shift_rows(Slices<Word>& q) {
    constexpr auto m = in_halves<Word>;
    for (Word& x : q) {
        x = (x & m(0x000000ff)) |                                        //
            ((x >> 2U) & m(0x00003f00)) | ((x << 6U) & m(0x0000c000)) |  //
            ((x >> 4U) & m(0x000f0000)) | ((x << 4U) & m(0x00f00000)) |  //
            ((x >> 6U) & m(0x03000000)) | ((x << 2U) & m(0xfc000000));
    }
}

// Every half turned right by 8 or 16 bits: the next row but `Bits` / 8 - 1.
template <unsigned Bits, class Word>
constexpr Word turn(Word x) {
    constexpr std::uint32_t low = 0xffffffffU >> Bits;
    return ((x >> Bits) & in_halves<Word>(low)) | ((x << (32 - Bits)) & in_halves<Word>(~low));
}

// MixColumns, FIPS 197, 5.1.3: 2 a[r] + 3 a[r+1] + a[r+2] + a[r+3] = 2 s[r] + a[r+1] + s[r+2] with
// s[r] = a[r] + a[r+1].
template <class Word>
constexpr void mix_columns(Slices<Word>& q) {
    Slices<Word> next{}, s{};
    for (std::size_t i = 0; i < 8; ++i) {
        next[i] = turn<8>(q[i]);
        s[i] = q[i] ^ next[i];
    }
    for (std::size_t i = 0; i < 8; ++i) {
        // Doubling moves each bit up; x^8 = x^4 + x^3 + x + 1.
        Word doubled = s[(i + 7) % 8];
        if (i == 1 || i == 3 || i == 4) doubled ^= s[7];
        q[i] = doubled ^ next[i] ^ turn<16>(s[i]);
    }
}

template <class Word>
constexpr void add_round_key(Slices<Word>& q, const Slices<Word>& key) {
    for (std::size_t i = 0; i < 8; ++i) q[i] ^= key[i];
}

// SubWord, FIPS 197, 5.2.
template <class Word>
std::uint32_t sub_word(std::uint32_t word) {
    Slices<Word> q{word};
    transpose(q);
    sub_bytes(q);
    transpose(q);
    const auto substituted = static_cast<std::uint32_t>(q[0]);
    ct::wipe({reinterpret_cast<std::uint8_t*>(q.data()), sizeof q});
    return substituted;
}

// KeyExpansion, FIPS 197, 5.2, each round key sliced for all blocks.
template <class Set, class Word>
void Cipher<Set, Bitsliced<Word>>::expand(std::span<const std::uint8_t, Set::key_size> key) {
    constexpr std::size_t key_words = Set::key_size / 4;
    std::array<std::uint32_t, 4 * (Set::rounds + 1)> w{};
    std::uint32_t round_constant = 1;
    for (std::size_t i = 0; i < w.size(); ++i) {
        if (i < key_words) {
            w[i] = load_little_endian<std::uint32_t>(&key[4 * i]);
            continue;
        }
        std::uint32_t t = w[i - 1];
        if (i % key_words == 0) {
            t = sub_word<Word>((t >> 8U) | (t << 24U)) ^ round_constant;
            round_constant = (round_constant << 1U) ^ ((round_constant >> 7U) * 0x11bU);
        } else if (key_words > 6 && i % key_words == 4) {
            t = sub_word<Word>(t);
        }
        w[i] = w[i - key_words] ^ t;
    }
    for (std::size_t round = 0; round <= Set::rounds; ++round) {
        Slices<Word>& q = round_keys_[round];
        for (std::size_t i = 0; i < 8; ++i) q[i] = in_halves<Word>(w[4 * round + i / 2]);
        transpose(q);
    }
    ct::wipe({reinterpret_cast<std::uint8_t*>(w.data()), sizeof w});
}

// Cipher, FIPS 197, Algorithm 1, on consecutive counter blocks.
template <class Set, class Word>
void Cipher<Set, Bitsliced<Word>>::keystream(Counter counter,
                                             std::span<std::uint8_t, 16 * blocks> stream) const {
    Slices<Word> q{};
    for (std::size_t b = 0; b < blocks; ++b) {
        const std::uint32_t n = counter.first + static_cast<std::uint32_t>(b);
        const std::uint32_t last =
            (n >> 24U) | ((n >> 8U) & 0xff00U) | ((n << 8U) & 0xff0000U) | (n << 24U);
        for (std::size_t c = 0; c < 4; ++c) {
            const Word column =
                c == 3 ? last : load_little_endian<std::uint32_t>(&counter.iv[4 * c]);
            q[2 * c + b % 2] |= column << (32 * (b / 2) % (8 * sizeof(Word)));
        }
    }
    transpose(q);
    add_round_key(q, round_keys_[0]);
    for (std::size_t round = 1; round < Set::rounds; ++round) {
        sub_bytes(q);
        shift_rows(q);
        mix_columns(q);
        add_round_key(q, round_keys_[round]);
    }
    sub_bytes(q);
    shift_rows(q);
    add_round_key(q, round_keys_[Set::rounds]);
    transpose(q);
    for (std::size_t i = 0; i < stream.size(); ++i) {
        const std::size_t b = i / 16, c = i / 4 % 4;
        stream[i] = static_cast<std::uint8_t>(q[2 * c + b % 2] >> (32 * (b / 2) + 8 * (i % 4)));
    }
}

template <class Set, class Word>
void Cipher<Set, Bitsliced<Word>>::apply(Counter counter, Bytes input, std::uint8_t* output) const {
    std::array<std::uint8_t, 16 * blocks> stream{};
    for (std::size_t done = 0; done < input.size(); counter.first += std::uint32_t{blocks}) {
        keystream(counter, stream);
        for (std::size_t i = 0; i < stream.size() && done < input.size(); ++i, ++done) {
            output[done] = input[done] ^ stream[i];
        }
    }
    ct::wipe(stream);
}

template <class Set, class Word>
void Cipher<Set, Bitsliced<Word>>::wipe() {
    ct::wipe({reinterpret_cast<std::uint8_t*>(round_keys_.data()), sizeof round_keys_});
}

template <class Word>
void sub_bytes(Slices<Word>& q) {
    const Word u0 = q[7], u1 = q[6], u2 = q[5], u3 = q[4];
    const Word u4 = q[3], u5 = q[2], u6 = q[1], u7 = q[0];
    // Top linear layer.
    const Word t1 = u0 ^ u3, t2 = u0 ^ u5, t3 = u0 ^ u6, t4 = u3 ^ u5, t5 = u4 ^ u6;
    const Word t6 = t1 ^ t5, t7 = u1 ^ u2, t8 = u7 ^ t6, t9 = u7 ^ t7, t10 = t6 ^ t7;
    const Word t11 = u1 ^ u5, t12 = u2 ^ u5, t13 = t3 ^ t4, t14 = t6 ^ t11, t15 = t5 ^ t11;
    const Word t16 = t5 ^ t12, t17 = t9 ^ t16, t18 = u3 ^ u7, t19 = t7 ^ t18, t20 = t1 ^ t19;
    const Word t21 = u6 ^ u7, t22 = t7 ^ t21, t23 = t2 ^ t22, t24 = t2 ^ t10, t25 = t20 ^ t17;
    const Word t26 = t3 ^ t16, t27 = t1 ^ t12;
    // Inversion in GF(2^8).
    const Word m1 = t13 & t6, m2 = t23 & t8, m3 = t14 ^ m1, m4 = t19 & u7, m5 = m4 ^ m1;
    const Word m6 = t3 & t16, m7 = t22 & t9, m8 = t26 ^ m6, m9 = t20 & t17, m10 = m9 ^ m6;
    const Word m11 = t1 & t15, m12 = t4 & t27, m13 = m12 ^ m11, m14 = t2 & t10, m15 = m14 ^ m11;
    const Word m16 = m3 ^ m2, m17 = m5 ^ t24, m18 = m8 ^ m7, m19 = m10 ^ m15, m20 = m16 ^ m13;
    const Word m21 = m17 ^ m15, m22 = m18 ^ m13, m23 = m19 ^ t25, m24 = m22 ^ m23;
    const Word m25 = m22 & m20, m26 = m21 ^ m25, m27 = m20 ^ m21, m28 = m23 ^ m25;
    const Word m29 = m28 & m27, m30 = m26 & m24, m31 = m20 & m23, m32 = m27 & m31;
    const Word m33 = m27 ^ m25, m34 = m21 & m22, m35 = m24 & m34, m36 = m24 ^ m25;
    const Word m37 = m21 ^ m29, m38 = m32 ^ m33, m39 = m23 ^ m30, m40 = m35 ^ m36;
    const Word m41 = m38 ^ m40, m42 = m37 ^ m39, m43 = m37 ^ m38, m44 = m39 ^ m40;
    const Word m45 = m42 ^ m41, m46 = m44 & t6, m47 = m40 & t8, m48 = m39 & u7, m49 = m43 & t16;
    const Word m50 = m38 & t9, m51 = m37 & t17, m52 = m42 & t15, m53 = m45 & t27, m54 = m41 & t10;
    const Word m55 = m44 & t13, m56 = m40 & t23, m57 = m39 & t19, m58 = m43 & t3, m59 = m38 & t22;
    const Word m60 = m37 & t20, m61 = m42 & t1, m62 = m45 & t4, m63 = m41 & t2;
    // Bottom linear layer, with the affine map.
    const Word l0 = m61 ^ m62, l1 = m50 ^ m56, l2 = m46 ^ m48, l3 = m47 ^ m55, l4 = m54 ^ m58;
    const Word l5 = m49 ^ m61, l6 = m62 ^ l5, l7 = m46 ^ l3, l8 = m51 ^ m59, l9 = m52 ^ m53;
    const Word l10 = m53 ^ l4, l11 = m60 ^ l2, l12 = m48 ^ m51, l13 = m50 ^ l0, l14 = m52 ^ m61;
    const Word l15 = m55 ^ l1, l16 = m56 ^ l0, l17 = m57 ^ l1, l18 = m58 ^ l8, l19 = m63 ^ l4;
    const Word l20 = l0 ^ l1, l21 = l1 ^ l7, l22 = l3 ^ l12, l23 = l18 ^ l2, l24 = l15 ^ l9;
    const Word l25 = l6 ^ l10, l26 = l7 ^ l9, l27 = l8 ^ l10, l28 = l11 ^ l14, l29 = l11 ^ l17;
    q[7] = l6 ^ l24;
    q[6] = ~(l16 ^ l26);
    q[5] = ~(l19 ^ l28);
    q[4] = l6 ^ l21;
    q[3] = l20 ^ l22;
    q[2] = l25 ^ l29;
    q[1] = ~(l13 ^ l27);
    q[0] = ~(l6 ^ l23);
}

}  // namespace quoin::core::aes_gcm
