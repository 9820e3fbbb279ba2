// ChaCha20 with eight blocks in a vector.
#include "core/crypto/backend.hpp"
#include "core/crypto/falcon/prng.hpp"
#include "core/crypto/target_avx2.hpp"
//
#include "core/crypto/falcon/prng_body.hpp"

namespace quoin::core::falcon {
namespace {

struct EightWords {
    __m256i value;

    static EightWords all(std::uint32_t word) {
        return {_mm256_set1_epi32(static_cast<std::int32_t>(word))};
    }
    static EightWords counting(std::uint32_t first) {
        return all(first) + EightWords{_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)};
    }
    template <int Bits>
    EightWords rotate() const {
        if constexpr (Bits == 16) {
            return {
                _mm256_shuffle_epi8(value, in_each_word(0x0d0c0f0e09080b0a, 0x0504070601000302))};
        } else if constexpr (Bits == 8) {
            return {
                _mm256_shuffle_epi8(value, in_each_word(0x0e0d0c0f0a09080b, 0x0605040702010003))};
        } else {
            return {_mm256_or_si256(_mm256_slli_epi32(value, Bits),
                                    _mm256_srli_epi32(value, 32 - Bits))};
        }
    }
    static __m256i in_each_word(long long high, long long low) {
        return _mm256_setr_epi64x(low, high, low, high);
    }
    void store(std::uint8_t* bytes) const {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(bytes), value);
    }
    friend EightWords operator+(EightWords a, EightWords b) {
        return {_mm256_add_epi32(a.value, b.value)};
    }
    friend EightWords operator^(EightWords a, EightWords b) {
        return {_mm256_xor_si256(a.value, b.value)};
    }
};

}  // namespace

template <class Backend>
void refill(PrngState& state) {
    chacha20_blocks<EightWords>(state, 0);
    state.counter += 8;
}

template void refill<Avx2>(PrngState&);

}  // namespace quoin::core::falcon

#include "core/crypto/target_pop.hpp"
