// Four reals in a vector, for fft.hpp. Include it between target_avx2.hpp and target_pop.hpp,
// before lanes.hpp's users.
#pragma once

#include "core/crypto/falcon/lanes.hpp"

namespace quoin::core::falcon {

struct FourLanes {
    static constexpr std::size_t width = 4;
    using One = OneLane<Hardware, Avx2>;
    __m256d value;

    static FourLanes load(const Hardware* from) {
        return {_mm256_loadu_pd(reinterpret_cast<const double*>(from))};
    }
    static FourLanes all(Hardware value) {
        return {_mm256_castsi256_pd(_mm256_set1_epi64x(static_cast<long long>(value.bits())))};
    }
    static void load_pairs(const Hardware* from, FourLanes& a, FourLanes& b) {
        const __m256d first = load(from).value, second = load(from + 4).value;
        a.value = in_order(_mm256_unpacklo_pd(first, second));
        b.value = in_order(_mm256_unpackhi_pd(first, second));
    }
    static FourLanes load_bits(const std::uint64_t* from) {
        return {_mm256_castsi256_pd(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)))};
    }
    void store(Hardware* to) const { _mm256_storeu_pd(reinterpret_cast<double*>(to), value); }
    static void store_pairs(Hardware* to, FourLanes a, FourLanes b) {
        const __m256d even = in_order(a.value), odd = in_order(b.value);
        FourLanes{_mm256_unpacklo_pd(even, odd)}.store(to);
        FourLanes{_mm256_unpackhi_pd(even, odd)}.store(to + 4);
    }
    friend FourLanes operator+(FourLanes a, FourLanes b) {
        return {_mm256_add_pd(a.value, b.value)};
    }
    friend FourLanes operator-(FourLanes a, FourLanes b) {
        return {_mm256_sub_pd(a.value, b.value)};
    }
    friend FourLanes operator*(FourLanes a, FourLanes b) {
        return {_mm256_mul_pd(a.value, b.value)};
    }
    friend FourLanes operator/(FourLanes a, FourLanes b) {
        return {_mm256_div_pd(a.value, b.value)};
    }
    FourLanes operator-() const { return {_mm256_xor_pd(value, _mm256_set1_pd(-0.0))}; }
    FourLanes half() const { return {_mm256_mul_pd(value, _mm256_set1_pd(0.5))}; }

private:
    // 0 2 1 3 to 0 1 2 3, and back.
    static __m256d in_order(__m256d a) { return _mm256_permute4x64_pd(a, 0xd8); }
};

template <>
struct Lanes<Avx2> {
    using Type = FourLanes;
};

}  // namespace quoin::core::falcon
