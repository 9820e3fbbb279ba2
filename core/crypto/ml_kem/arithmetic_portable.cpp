// Arithmetic of ML-KEM in plain C++. Nothing branches or indexes on a coefficient.
#include "core/crypto/ml_kem/arithmetic_portable.hpp"

#include <utility>

namespace quoin::core::ml_kem {
namespace {

using Portable = Arithmetic<core::Portable>;

// x R^-1 mod q: |result| <= |x| / 2^16 + q / 2.
std::int16_t montgomery(std::int32_t x) {
    // The lowest 16 bits of the product count: unsigned, as the signed one may overflow.
    const auto m = static_cast<std::int16_t>(static_cast<std::uint32_t>(x) *
                                             static_cast<std::uint32_t>(q_inverse));
    return static_cast<std::int16_t>((x - m * q) >> 16);
}

std::int16_t multiply(std::int32_t a, std::int32_t b) { return montgomery(a * b); }

// x mod q, |result| <= q / 2, for any x of 16 bits: 20159 / 2^26 is 1 / q but for 2^-27.
std::int16_t centred(std::int32_t x) {
    const std::int32_t quotient = (20159 * x + (1 << 25)) >> 26;
    return static_cast<std::int16_t>(x - quotient * q);
}

// Reduced to [0, q).
std::uint32_t canonical(std::int16_t x) { return static_cast<std::uint32_t>(x + ((x >> 15) & q)); }

std::int16_t narrow(std::int32_t x) { return static_cast<std::int16_t>(x); }

// Four coefficients at equal distances, as two layers of the NTT combine them.
struct Four {
    std::int32_t a;
    std::int32_t b;
    std::int32_t c;
    std::int32_t d;
};

Four load_four(const std::int16_t* from, std::size_t step) {
    return {from[0], from[step], from[2 * step], from[3 * step]};
}

void store_four(std::int16_t* to, std::size_t step, const Four& r) {
    to[0] = narrow(r.a);
    to[step] = narrow(r.b);
    to[2 * step] = narrow(r.c);
    to[3 * step] = narrow(r.d);
}

void butterfly(std::int32_t& a, std::int32_t& b, std::int16_t zeta) {
    const std::int32_t t = multiply(zeta, b);
    b = a - t;
    a += t;
}

void inverse_butterfly(std::int32_t& a, std::int32_t& b, std::int16_t zeta) {
    const std::int32_t t = a;
    a = t + b;
    b = multiply(zeta, b - t);
}

// floor(x / q) for x < 2^23: 20642679 = ceil(2^36 / q), the error is below 2^-13 < 1 / q.
std::uint32_t divided_by_q(std::uint32_t x) {
    return static_cast<std::uint32_t>((std::uint64_t{x} * 20642679U) >> 36U);
}

// Coefficients of D bits, little-endian: FIPS 203, algorithms 5 and 6. Eight of them are D bytes;
// where each begins is known to the compiler.
using Eight = std::make_index_sequence<8>;

template <std::size_t D, class Coefficient>
void pack(std::span<std::uint8_t, 32 * D> out, Coefficient coefficient) {
    std::uint8_t* to = out.data();
    for (std::size_t i = 0; i < 256; i += 8, to += D) {
        std::uint32_t pending = 0;
        const auto put = [&]<std::size_t I>(std::integral_constant<std::size_t, I>) {
            constexpr std::size_t at = I * D / 8;
            constexpr std::size_t end = (I + 1) * D / 8;
            pending |= coefficient(i + I) << (I * D % 8);
            for (std::size_t j = at; j < end; ++j, pending >>= 8U) {
                to[j] = static_cast<std::uint8_t>(pending);
            }
        };
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            (put(std::integral_constant<std::size_t, I>()), ...);
        }(Eight());
    }
}

template <std::size_t D, class Take>
void unpack(std::span<const std::uint8_t, 32 * D> bytes, Take take) {
    const std::uint8_t* from = bytes.data();
    for (std::size_t i = 0; i < 256; i += 8, from += D) {
        const auto get = [&]<std::size_t I>(std::integral_constant<std::size_t, I>) {
            constexpr std::size_t at = I * D / 8;
            constexpr std::size_t end = ((I + 1) * D + 7) / 8;
            std::uint32_t bits = 0;
            for (std::size_t j = at; j < end; ++j) bits |= std::uint32_t{from[j]} << (8 * (j - at));
            take(i + I, bits >> (I * D % 8) & ((1U << D) - 1));
        };
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            (get(std::integral_constant<std::size_t, I>()), ...);
        }(Eight());
    }
}

}  // namespace

// FIPS 203, algorithm 9, two layers in a pass. Each of seven adds less than q: |f| < 8 q < 2^15.
void Portable::ntt(Poly& f) {
    std::int16_t* const c = f.c.data();
    for (std::size_t length = 128; length >= 8; length /= 4) {
        const std::size_t half = length / 2;
        std::size_t block = 128 / length;
        for (std::size_t start = 0; start < 256; start += 2 * length, ++block) {
            for (std::size_t j = start; j < start + half; ++j) {
                Four r = load_four(c + j, half);
                butterfly(r.a, r.c, zetas[block]);
                butterfly(r.b, r.d, zetas[block]);
                butterfly(r.a, r.b, zetas[2 * block]);
                butterfly(r.c, r.d, zetas[2 * block + 1]);
                store_four(c + j, half, r);
            }
        }
    }
    for (std::size_t i = 0; i < 64; ++i) {
        Four r = load_four(c + 4 * i, 1);
        butterfly(r.a, r.c, zetas[64 + i]);
        butterfly(r.b, r.d, zetas[64 + i]);
        store_four(c + 4 * i, 1, {centred(r.a), centred(r.b), centred(r.c), centred(r.d)});
    }
}

// Algorithm 10, times R. Sums double in each layer: after three below 8 * 2600 < 2^15, and then
// they are centred; after four more below 8 q.
void Portable::inverse_ntt(Poly& f) {
    std::int16_t* const c = f.c.data();
    for (std::size_t i = 0; i < 64; ++i) {
        Four r = load_four(c + 4 * i, 1);
        inverse_butterfly(r.a, r.c, zetas[127 - i]);
        inverse_butterfly(r.b, r.d, zetas[127 - i]);
        store_four(c + 4 * i, 1, r);
    }
    for (std::size_t half = 4; half <= 64; half *= 4) {
        std::size_t block = 256 / half - 1;
        for (std::size_t start = 0; start < 256; start += 4 * half, block -= 2) {
            for (std::size_t j = start; j < start + half; ++j) {
                Four r = load_four(c + j, half);
                inverse_butterfly(r.a, r.b, zetas[block]);
                inverse_butterfly(r.c, r.d, zetas[block - 1]);
                inverse_butterfly(r.a, r.c, zetas[block / 2]);
                inverse_butterfly(r.b, r.d, zetas[block / 2]);
                if (half == 4) r = {centred(r.a), centred(r.b), centred(r.c), centred(r.d)};
                store_four(c + j, half, r);
            }
        }
    }
    for (std::size_t i = 0; i < 256; ++i) c[i] = multiply(c[i], r_squared_by_128);
}

void Portable::prepare(Multiplicand& out, const Poly& f) {
    out.poly = f;
    for (std::size_t i = 0; i < 64; ++i) {
        out.shifted[2 * i] = multiply(f.c[4 * i + 1], zetas[64 + i]);
        out.shifted[2 * i + 1] = narrow(-multiply(f.c[4 * i + 3], zetas[64 + i]));
    }
}

void Portable::Sum::add(const Poly& a, const Multiplicand& b) {
    for (std::size_t i = 0; i < 128; ++i) {
        const std::int32_t a0 = a.c[2 * i];
        const std::int32_t a1 = a.c[2 * i + 1];
        // FIPS 203, algorithm 12.
        c_[2 * i] += a0 * b.poly.c[2 * i] + a1 * b.shifted[i];
        c_[2 * i + 1] += a0 * b.poly.c[2 * i + 1] + a1 * b.poly.c[2 * i];
    }
}

void Portable::Sum::finish(Poly& out) const {
    for (std::size_t i = 0; i < 256; ++i) out.c[i] = montgomery(c_[i]);
}

void Portable::undo_montgomery(Poly& f) {
    for (std::int16_t& c : f.c) c = multiply(c, r_squared);
}

void Portable::add(Poly& f, const Poly& g) {
    for (std::size_t i = 0; i < 256; ++i) f.c[i] = narrow(f.c[i] + g.c[i]);
}

void Portable::subtract_from(Poly& f, const Poly& g) {
    for (std::size_t i = 0; i < 256; ++i) f.c[i] = narrow(g.c[i] - f.c[i]);
}

void Portable::reduce(Poly& f) {
    for (std::int16_t& c : f.c) c = centred(c);
}

void Portable::encode(std::span<std::uint8_t, 384> out, const Poly& f) {
    pack<12>(out, [&](std::size_t i) { return canonical(f.c[i]); });
}

void Portable::decode(Poly& f, std::span<const std::uint8_t, 384> bytes) {
    unpack<12>(bytes,
               [&](std::size_t i, std::uint32_t c) { f.c[i] = static_cast<std::int16_t>(c); });
}

bool Portable::is_canonical(std::span<const std::uint8_t, 384> bytes) {
    std::uint32_t wrong = 0;
    unpack<12>(bytes, [&](std::size_t, std::uint32_t c) { wrong |= q - 1 - c; });
    return (wrong >> 31U) == 0;  // the top bit is set if one was too large
}

// FIPS 203, section 4.2.1: round(2^d x / q) mod 2^d.
template <std::size_t D>
void Portable::compress(std::span<std::uint8_t, 32 * D> out, const Poly& f) {
    pack<D>(out, [&](std::size_t i) {
        return divided_by_q((canonical(f.c[i]) << D) + q / 2) & ((1U << D) - 1);
    });
}

// round(q y / 2^d).
template <std::size_t D>
void Portable::decompress(Poly& f, std::span<const std::uint8_t, 32 * D> bytes) {
    unpack<D>(bytes, [&](std::size_t i, std::uint32_t y) {
        f.c[i] = static_cast<std::int16_t>((y * q + (1U << (D - 1))) >> D);
    });
}

template <std::size_t Eta>
void Portable::sample_cbd(Poly& f, std::span<const std::uint8_t, 64 * Eta> bytes) {
    // Four bytes hold eight coefficients of eta 2, three bytes four of eta 3.
    constexpr std::size_t step = Eta == 2 ? 4 : 3;
    constexpr std::size_t count = 4 * step / Eta;
    constexpr std::uint32_t first_bits = Eta == 2 ? 0x55555555 : 0x249249;
    constexpr std::uint32_t first_fields = Eta == 2 ? 0x33333333 : 0x1c71c7;
    constexpr std::uint32_t biases = Eta == 2 ? 0x22222222 : 0x0c30c3;  // eta for each coefficient
    const std::uint8_t* from = bytes.data();
    std::int16_t* to = f.c.data();
    for (std::size_t i = 0; i < 256; i += count, from += step, to += count) {
        std::uint32_t bits = 0;
        for (std::size_t j = 0; j < step; ++j) bits |= std::uint32_t{from[j]} << (8 * j);
        // In each field of eta bits, how many are one; then x + eta - y for each two fields.
        std::uint32_t sums = (bits & first_bits) + (bits >> 1U & first_bits);
        if constexpr (Eta == 3) sums += bits >> 2U & first_bits;
        const std::uint32_t biased = (sums & first_fields) + biases - (sums >> Eta & first_fields);
        for (std::size_t j = 0; j < count; ++j) {
            constexpr std::uint32_t field = (1U << (2 * Eta)) - 1;
            to[j] = narrow(static_cast<std::int32_t>(biased >> (2 * Eta * j) & field) -
                           static_cast<std::int32_t>(Eta));
        }
    }
}

template void Portable::compress<1>(std::span<std::uint8_t, 32>, const Poly&);
template void Portable::compress<4>(std::span<std::uint8_t, 128>, const Poly&);
template void Portable::compress<5>(std::span<std::uint8_t, 160>, const Poly&);
template void Portable::compress<10>(std::span<std::uint8_t, 320>, const Poly&);
template void Portable::compress<11>(std::span<std::uint8_t, 352>, const Poly&);
template void Portable::decompress<1>(Poly&, std::span<const std::uint8_t, 32>);
template void Portable::decompress<4>(Poly&, std::span<const std::uint8_t, 128>);
template void Portable::decompress<5>(Poly&, std::span<const std::uint8_t, 160>);
template void Portable::decompress<10>(Poly&, std::span<const std::uint8_t, 320>);
template void Portable::decompress<11>(Poly&, std::span<const std::uint8_t, 352>);
template void Portable::sample_cbd<2>(Poly&, std::span<const std::uint8_t, 128>);
template void Portable::sample_cbd<3>(Poly&, std::span<const std::uint8_t, 192>);

}  // namespace quoin::core::ml_kem
