// AES by AES-NI, eight blocks at once to hide the latency of a round; GHASH by PCLMULQDQ, eight
// blocks for one reduction. For the .cpp of each backend with these instructions: include it after
// the backend's target header. Everything is in an unnamed namespace, as each backend compiles it
// for its own target.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "core/base/constant_time.hpp"
#include "core/crypto/aes/gcm.hpp"

namespace quoin::core::aes_gcm {
// NOLINTNEXTLINE(cert-dcl59-cpp): each backend compiles its own copy, for its own target
namespace {

inline __m128i load(const std::uint8_t* bytes) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
}
inline void store(std::uint8_t* bytes, __m128i value) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(bytes), value);
}
// GHASH's bytes as a number: the first byte is the highest.
inline __m128i reverse(__m128i x) {
    return _mm_shuffle_epi8(x, _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
}

// Each step of FIPS 197's KeyExpansion makes a round key from the one `back` and a substituted
// word: w[i] = w[i - Nk] ^ w[i - 1] is a running sum over the four words.
inline __m128i next_round_key(__m128i back, __m128i word) {
    back = _mm_xor_si128(back, _mm_slli_si128(back, 4));
    back = _mm_xor_si128(back, _mm_slli_si128(back, 8));
    return _mm_xor_si128(back, word);
}

// Round key `I` of AES-128 (keys of four words) or AES-256 (eight).
template <class Set, std::size_t I>
inline void make_round_key(std::array<Block, Set::rounds + 1>& keys) {
    constexpr std::size_t stride = Set::key_size / 16;
    constexpr bool rotates = I % stride == 0;
    constexpr unsigned constants[] = {1, 2, 4, 8, 16, 32, 64, 128, 27, 54};
    constexpr unsigned constant = rotates ? constants[I / stride - 1] : 0;
    const __m128i assisted = _mm_aeskeygenassist_si128(load(keys[I - 1].data()), constant);
    const __m128i word = _mm_shuffle_epi32(assisted, rotates ? 0xff : 0xaa);
    store(keys[I].data(), next_round_key(load(keys[I - stride].data()), word));
}

template <class Set, std::size_t... Is>
inline void make_round_keys(std::array<Block, Set::rounds + 1>& keys, std::index_sequence<Is...>) {
    constexpr std::size_t stride = Set::key_size / 16;
    (make_round_key<Set, Is + stride>(keys), ...);
}

// Cipher, FIPS 197, Algorithm 1, on blocks that stay in registers.
template <class Keys, class... Blocks>
inline void encrypt(const Keys& keys, Blocks&... x) {
    __m128i key = load(keys[0].data());
    ((x = _mm_xor_si128(x, key)), ...);
    for (std::size_t round = 1; round + 1 < keys.size(); ++round) {
        key = load(keys[round].data());
        ((x = _mm_aesenc_si128(x, key)), ...);
    }
    key = load(keys.back().data());
    ((x = _mm_aesenclast_si128(x, key)), ...);
}

struct Product {
    __m128i low, middle, high;
};

// Adds the three partial products of x * y (schoolbook; the two in the middle are summed).
inline void multiply_add(Product& sum, __m128i x, __m128i y) {
    sum.low = _mm_xor_si128(sum.low, _mm_clmulepi64_si128(x, y, 0x00));
    sum.high = _mm_xor_si128(sum.high, _mm_clmulepi64_si128(x, y, 0x11));
    sum.middle = _mm_xor_si128(sum.middle, _mm_clmulepi64_si128(x, y, 0x01));
    sum.middle = _mm_xor_si128(sum.middle, _mm_clmulepi64_si128(x, y, 0x10));
}

// Modulo x^128 + x^7 + x^2 + x + 1. Mirrored as GHASH is, the product stands one bit too low: the
// keys are multiplied by x beforehand (twist). In the mirrored order the low half is what
// overflowed; each folding removes 64 bits of it by a product with x^63 + x^62 + x^57.
inline __m128i reduce(const Product& sum) {
    const __m128i polynomial = _mm_set_epi64x(0, static_cast<long long>(0xc200000000000000ULL));
    __m128i low = _mm_xor_si128(sum.low, _mm_slli_si128(sum.middle, 8));
    const __m128i high = _mm_xor_si128(sum.high, _mm_srli_si128(sum.middle, 8));
    for (int fold = 0; fold < 2; ++fold) {
        const __m128i t = _mm_clmulepi64_si128(low, polynomial, 0x00);
        low = _mm_xor_si128(_mm_shuffle_epi32(low, 0x4e), t);
    }
    return _mm_xor_si128(high, low);
}

// h * x, in the mirrored order: one to the left, and what falls out comes back as the polynomial.
inline __m128i twist(__m128i h) {
    const __m128i carries = _mm_srli_epi64(h, 63);
    const __m128i shifted = _mm_or_si128(_mm_slli_epi64(h, 1), _mm_slli_si128(carries, 8));
    const __m128i out = _mm_shuffle_epi32(_mm_srai_epi32(h, 31), 0xff);
    const __m128i polynomial = _mm_set_epi64x(static_cast<long long>(0xc200000000000000ULL), 1);
    return _mm_xor_si128(shifted, _mm_and_si128(out, polynomial));
}

inline __m128i padded(Bytes data) {
    alignas(16) Block block{};
    for (std::size_t i = 0; i < data.size(); ++i) block[i] = data[i];
    return load(block.data());
}

template <class Set>
inline void expand_key(std::span<const std::uint8_t, Set::key_size> key,
                       std::array<Block, Set::rounds + 1>& keys) {
    for (std::size_t i = 0; i < Set::key_size; ++i) keys[i / 16][i % 16] = key[i];
    make_round_keys<Set>(keys, std::make_index_sequence<Set::rounds + 1 - Set::key_size / 16>());
}

inline __m128i counter_block(__m128i iv, std::uint32_t n) {
    return _mm_insert_epi32(iv, static_cast<int>(__builtin_bswap32(n)), 3);
}

template <class Keys, std::size_t... Is>
inline void apply_to_eight(const Keys& keys, __m128i iv, std::uint32_t first,
                           const std::uint8_t* input, std::uint8_t* output,
                           std::index_sequence<Is...>) {
    __m128i x[] = {counter_block(iv, first + std::uint32_t{Is})...};
    encrypt(keys, x[Is]...);
    ((x[Is] = _mm_xor_si128(x[Is], load(input + 16 * Is))), ...);
    (store(output + 16 * Is, x[Is]), ...);
}

template <class Keys>
inline void apply_keystream(const Keys& keys, Counter counter, Bytes input, std::uint8_t* output) {
    alignas(16) Block first{};
    for (std::size_t i = 0; i < 12; ++i) first[i] = counter.iv[i];
    const __m128i iv = load(first.data());
    std::uint32_t n = counter.first;
    std::size_t done = 0;
    for (; input.size() - done >= 128; done += 128, n += 8) {
        apply_to_eight(keys, iv, n, input.data() + done, output + done,
                       std::make_index_sequence<8>());
    }
    for (; done < input.size(); ++n) {
        __m128i x = counter_block(iv, n);
        encrypt(keys, x);
        alignas(16) Block stream;
        store(stream.data(), x);
        for (std::size_t i = 0; i < 16 && done < input.size(); ++i, ++done) {
            output[done] = input[done] ^ stream[i];
        }
        ct::wipe(stream);
    }
}

// The powers of H, twisted, the highest first: powers[Count - k] = H^k.
template <std::size_t Count>
inline void make_powers(std::array<Block, Count>& powers, const Block& h) {
    __m128i power = reverse(load(h.data()));
    for (std::size_t k = 1; k <= Count; ++k) {
        store(powers[Count - k].data(), twist(power));
        Product product{};
        multiply_add(product, power, load(powers[Count - 1].data()));
        power = reduce(product);
    }
}

template <std::size_t Count, std::size_t... Is>
inline __m128i absorb_eight(const std::array<Block, Count>& powers, __m128i state,
                            const std::uint8_t* input, std::index_sequence<Is...>) {
    Product sum{};
    const Block* const highest = &powers[Count - 8];
    multiply_add(sum, _mm_xor_si128(state, reverse(load(input))), load(highest[0].data()));
    (multiply_add(sum, reverse(load(input + 16 * (Is + 1))), load(highest[Is + 1].data())), ...);
    return reduce(sum);
}

template <std::size_t Count>
inline __m128i absorb_all(const std::array<Block, Count>& powers, __m128i state, Bytes data) {
    const std::uint8_t* in = data.data();
    std::size_t left = data.size();
    for (; left >= 128; left -= 128, in += 128) {
        state = absorb_eight(powers, state, in, std::make_index_sequence<7>());
    }
    while (left != 0) {
        const std::size_t size = left < 16 ? left : 16;
        const __m128i x = size == 16 ? load(in) : padded({in, size});
        Product product{};
        multiply_add(product, _mm_xor_si128(state, reverse(x)), load(powers[Count - 1].data()));
        state = reduce(product);
        in += size;
        left -= size;
    }
    return state;
}

}  // namespace
}  // namespace quoin::core::aes_gcm
