// SamplerZ: specification, section 3.9.3. For falcon/ only.
//
// Isochronous: what branches is which candidates are refused, and that does not depend on mu or
// sigma' (J. Howe, T. Prest, T. Ricosset, M. Rossi, "Isochronous Gaussian Sampling", 2020).
#pragma once

#include <array>
#include <cstdint>

#include "core/base/declassify.hpp"
#include "core/base/endian.hpp"
#include "core/crypto/backend.hpp"

namespace quoin::core::falcon {

// Table 3.1, RCDT: 2^72 P(z0 > i), as the upper 8 and the lower 64 bits.
struct Rcdt {
    std::uint32_t high;
    std::uint64_t low;
};
inline constexpr std::array<Rcdt, 18> rcdt{{
    {0xa3, 0xf7f42ed3ac391802},
    {0x54, 0xd32b181f3f7ddb82},
    {0x22, 0x7dcdd0934829c1ff},
    {0x0a, 0xd1754377c7994ae4},
    {0x02, 0x95846caef33f1f6f},
    {0x00, 0x774ac754ed74bd5f},
    {0x00, 0x1024dd542b776ae4},
    {0x00, 0x01a1ffdc65ad63da},
    {0x00, 0x001f80d88a7b6428},
    {0x00, 0x0001c3fdb2040c69},
    {0x00, 0x000012cf24d031fb},
    {0x00, 0x000000949f8b091f},
    {0x00, 0x00000003665da998},
    {0x00, 0x000000000ebf6ebb},
    {0x00, 0x00000000002f5d7e},
    {0x00, 0x0000000000007098},
    {0x00, 0x00000000000000c6},
    {0x00, 0x0000000000000001},
}};

// Algorithm 12 (BaseSampler), of 9 bytes, the first the highest.
template <class Backend>
std::int32_t base_sampler(const std::uint8_t* bytes) {
    const std::uint32_t high = bytes[0];
    const auto low = __builtin_bswap64(load_little_endian<std::uint64_t>(bytes + 1));
    std::uint32_t z0 = 0;
    for (const Rcdt& entry : rcdt) {
        const std::uint32_t borrow = low < entry.low ? 1 : 0;
        z0 += (high - entry.high - borrow) >> 31U;
    }
    return static_cast<std::int32_t>(z0);
}

#if defined(__x86_64__)
template <>
std::int32_t base_sampler<Avx2>(const std::uint8_t* bytes);  // base_sampler_avx2.cpp
#endif

// The upper half of a b.
#if defined(__SIZEOF_INT128__)
inline std::uint64_t multiply_high(std::uint64_t a, std::uint64_t b) {
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::uint64_t>((static_cast<Wide>(a) * b) >> 64U);
}
#else
inline std::uint64_t multiply_high(std::uint64_t a, std::uint64_t b) {
    const std::uint64_t a0 = static_cast<std::uint32_t>(a), a1 = a >> 32U;
    const std::uint64_t b0 = static_cast<std::uint32_t>(b), b1 = b >> 32U;
    const std::uint64_t first = a1 * b0 + (a0 * b0 >> 32U);
    const std::uint64_t second = a0 * b1 + static_cast<std::uint32_t>(first);
    return a1 * b1 + (first >> 32U) + (second >> 32U);
}
#endif

// Algorithm 13 (ApproxExp): 2^63 ccs e^-x, x in [0, ln 2], ccs in [0, 1).
template <class Real>
std::uint64_t approx_exp(Real x, Real ccs) {
    constexpr std::array<std::uint64_t, 13> C{
        0x00000004741183A3, 0x00000036548CFC06, 0x0000024FDCBF140A, 0x0000171D939DE045,
        0x0000D00CF58F6F84, 0x000680681CF796E3, 0x002D82D8305B0FEA, 0x011111110E066FD0,
        0x0555555555070F00, 0x155555555581FF00, 0x400000000002B400, 0x7FFFFFFFFFFF4800,
        0x8000000000000000};
    const Real two_63 = Real::from_bits(0x43e0000000000000);
    const std::uint64_t z = static_cast<std::uint64_t>((x * two_63).truncate()) << 1U;
    std::uint64_t y = C[0];
    for (std::size_t u = 1; u < C.size(); ++u) y = C[u] - multiply_high(z, y);
    return multiply_high(static_cast<std::uint64_t>((ccs * two_63).truncate()) << 1U, y);
}

// Algorithm 14 (BerExp): true with probability ccs e^-x, x >= 0.
template <class Real, class Source>
bool ber_exp(Source& source, Real x, Real ccs) {
    const Real ln_2 = Real::from_bits(0x3fe62e42fefa39ef);
    const Real inverse_ln_2 = Real::from_bits(0x3ff71547652b82fe);
    const std::int64_t whole = (x * inverse_ln_2).truncate();
    const Real r = x - Real::from_integer(whole) * ln_2;
    auto s = static_cast<std::uint32_t>(whole);
    s = (s | (0U - ((63U - s) >> 31U))) & 63U;  // line 3: min(s, 63)
    const std::uint64_t z = ((approx_exp(r, ccs) << 1U) - 1) >> s;
    // Lines 6 to 9. How many bytes are equal depends on fresh random bytes only.
    std::int32_t w = 0;
    for (unsigned i = 64; w == 0 && i > 0;) {
        i -= 8;
        w = ct::declassified(static_cast<std::int32_t>(*source.take(1)) -
                             static_cast<std::int32_t>((z >> i) & 0xffU));
    }
    return w < 0;
}

// Algorithm 15 (SamplerZ), of 1 / sigma'; sigma_min <= sigma' <= sigma_max, |mu| < 2^31.
// `source` gives bytes as Prng does, and names its backend.
template <class Real, class Source>
std::int64_t sampler_z(Source& source, Real mu, Real inverse_sigma, Real sigma_min) {
    const Real inverse_2_sigma_max_squared = Real::from_bits(0x3fc34f8bc183bbc2);
    const std::int64_t floor = mu.floor();
    const Real r = mu - Real::from_integer(floor);
    const Real ccs = sigma_min * inverse_sigma;
    const Real inverse_2_sigma_squared = (inverse_sigma * inverse_sigma).half();
    for (;;) {
        const std::uint8_t* bytes = source.take(10);
        const std::int32_t z0 = base_sampler<typename Source::Backend>(bytes);
        const std::int32_t b = bytes[9] & 1;
        const std::int32_t z = b + (2 * b - 1) * z0;
        const Real distance = Real::from_integer(z) - r;
        const Real x = distance * distance * inverse_2_sigma_squared -
                       Real::from_integer(z0 * z0) * inverse_2_sigma_max_squared;
        if (ber_exp(source, x, ccs)) return floor + z;
    }
}

}  // namespace quoin::core::falcon
