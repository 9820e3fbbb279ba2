// The backend Vaes: four blocks in a register, sixteen at once. Below 256 bytes as AesNi.
#include "core/crypto/aes/gcm.hpp"
#include "core/crypto/target_vaes.hpp"
// After the target header: it is compiled for that target.
#include "core/crypto/aes/aes_ni_body.hpp"

namespace quoin::core::aes_gcm {
namespace {

// Four blocks in a register. `in_lanes`: the same in each.
inline __m512i load_four(const std::uint8_t* bytes) { return _mm512_loadu_si512(bytes); }
inline __m512i in_lanes(__m128i x) { return _mm512_broadcast_i32x4(x); }

// Counter blocks n + 4 * I to n + 4 * I + 3, from those of n to n + 3 with little-endian counters.
template <std::size_t I>
inline __m512i counter_blocks(__m512i counters) {
    const __m512i swap_counter =
        in_lanes(_mm_set_epi8(12, 13, 14, 15, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0));
    constexpr __mmask16 last_words = 0x8888;
    const __m512i step = _mm512_maskz_set1_epi32(last_words, 4 * int{I});
    return _mm512_shuffle_epi8(_mm512_add_epi32(counters, step), swap_counter);
}

template <class Keys, std::size_t... Is>
inline void apply_to_sixteen(const Keys& keys, __m512i counters, const std::uint8_t* input,
                             std::uint8_t* output, std::index_sequence<Is...>) {
    __m512i x[] = {counter_blocks<Is>(counters)...};
    __m512i key = in_lanes(load(keys[0].data()));
    ((x[Is] = _mm512_xor_si512(x[Is], key)), ...);
    for (std::size_t round = 1; round + 1 < keys.size(); ++round) {
        key = in_lanes(load(keys[round].data()));
        ((x[Is] = _mm512_aesenc_epi128(x[Is], key)), ...);
    }
    key = in_lanes(load(keys.back().data()));
    ((x[Is] = _mm512_aesenclast_epi128(x[Is], key)), ...);
    ((x[Is] = _mm512_xor_si512(x[Is], load_four(input + 64 * Is))), ...);
    (_mm512_storeu_si512(output + 64 * Is, x[Is]), ...);
}

template <class Keys>
inline void apply_wide(const Keys& keys, Counter counter, Bytes input, std::uint8_t* output) {
    constexpr std::size_t step = 256;
    if (input.size() >= step) {
        alignas(16) Block first{};
        for (std::size_t i = 0; i < 12; ++i) first[i] = counter.iv[i];
        const auto n = static_cast<int>(counter.first);
        __m512i counters = in_lanes(load(first.data()));
        counters = _mm512_add_epi32(
            counters, _mm512_set_epi32(n + 3, 0, 0, 0, n + 2, 0, 0, 0, n + 1, 0, 0, 0, n, 0, 0, 0));
        const __m512i sixteen = _mm512_maskz_set1_epi32(0x8888, 16);
        for (; input.size() >= step; input = input.subspan(step), output += step) {
            apply_to_sixteen(keys, counters, input.data(), output, std::make_index_sequence<4>());
            counters = _mm512_add_epi32(counters, sixteen);
            counter.first += 16;
        }
    }
    apply_keystream(keys, counter, input, output);
}

struct WideProduct {
    __m512i low, middle, high;
};

inline void multiply_add(WideProduct& sum, __m512i x, __m512i y) {
    sum.low = _mm512_xor_si512(sum.low, _mm512_clmulepi64_epi128(x, y, 0x00));
    sum.high = _mm512_xor_si512(sum.high, _mm512_clmulepi64_epi128(x, y, 0x11));
    sum.middle = _mm512_xor_si512(sum.middle, _mm512_clmulepi64_epi128(x, y, 0x01));
    sum.middle = _mm512_xor_si512(sum.middle, _mm512_clmulepi64_epi128(x, y, 0x10));
}

inline __m128i sum_of_lanes(__m512i x) {
    const __m256i half =
        _mm256_xor_si256(_mm512_castsi512_si256(x), _mm512_extracti64x4_epi64(x, 1));
    return _mm_xor_si128(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
}

template <std::size_t Count, std::size_t... Is>
inline __m128i absorb_many(const std::array<Block, Count>& powers, __m128i state,
                           const std::uint8_t* input, std::index_sequence<Is...>) {
    const __m512i reversed =
        in_lanes(_mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
    WideProduct sum{};
    __m512i x[] = {_mm512_shuffle_epi8(load_four(input + 64 * Is), reversed)...};
    x[0] = _mm512_xor_si512(x[0], _mm512_zextsi128_si512(state));
    (multiply_add(sum, x[Is], load_four(powers[4 * Is].data())), ...);
    return reduce({sum_of_lanes(sum.low), sum_of_lanes(sum.middle), sum_of_lanes(sum.high)});
}

// As many blocks for one reduction as there are powers.
template <std::size_t Count>
inline __m128i absorb_wide(const std::array<Block, Count>& powers, __m128i state, Bytes data) {
    for (; data.size() >= 16 * Count; data = data.subspan(16 * Count)) {
        state = absorb_many(powers, state, data.data(), std::make_index_sequence<Count / 4>());
    }
    return absorb_all(powers, state, data);
}

}  // namespace

template <>
void Cipher<Set128, Vaes>::expand(std::span<const std::uint8_t, 16> key) {
    expand_key<Set128>(key, round_keys_);
}
template <>
void Cipher<Set256, Vaes>::expand(std::span<const std::uint8_t, 32> key) {
    expand_key<Set256>(key, round_keys_);
}
template <>
void Cipher<Set128, Vaes>::apply(Counter counter, Bytes input, std::uint8_t* output) const {
    apply_wide(round_keys_, counter, input, output);
}
template <>
void Cipher<Set256, Vaes>::apply(Counter counter, Bytes input, std::uint8_t* output) const {
    apply_wide(round_keys_, counter, input, output);
}

template <>
void Ghash<Vaes>::set_key(const Block& h) {
    make_powers(powers_, h);
}
template <>
void Ghash<Vaes>::absorb(Block& y, Bytes data) const {
    store(y.data(), reverse(absorb_wide(powers_, reverse(load(y.data())), data)));
}

}  // namespace quoin::core::aes_gcm

#include "core/crypto/target_pop.hpp"

namespace quoin::core::aes_gcm {

template <class Set, class Engine>
void Cipher<Set, Engine>::wipe() {
    ct::wipe({round_keys_[0].data(), sizeof round_keys_});
}

template <class Engine>
void Ghash<Engine>::wipe() {
    ct::wipe({powers_[0].data(), sizeof powers_});
}

template class Ghash<Vaes>;
template class BasicKey<Set128, Vaes>;
template class BasicKey<Set256, Vaes>;

}  // namespace quoin::core::aes_gcm
