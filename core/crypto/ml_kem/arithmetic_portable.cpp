// Arithmetic of ML-KEM in plain C++. Nothing branches or indexes on a coefficient.
#include "core/crypto/ml_kem/arithmetic_portable.hpp"

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

// floor(x / q) for x < 2^23: 20642679 = ceil(2^36 / q), the error is below 2^-13 < 1 / q.
std::uint32_t divided_by_q(std::uint32_t x) {
    return static_cast<std::uint32_t>((std::uint64_t{x} * 20642679U) >> 36U);
}

// Coefficients of D bits, little-endian: FIPS 203, algorithms 5 and 6.
template <std::size_t D, class Coefficient>
void pack(std::span<std::uint8_t, 32 * D> out, Coefficient coefficient) {
    std::uint32_t pending = 0;
    std::size_t bits = 0;
    std::size_t at = 0;
    for (std::size_t i = 0; i < 256; ++i) {
        pending |= coefficient(i) << bits;
        for (bits += D; bits >= 8; bits -= 8) {
            out[at++] = static_cast<std::uint8_t>(pending);
            pending >>= 8U;
        }
    }
}

template <std::size_t D, class Take>
void unpack(std::span<const std::uint8_t, 32 * D> bytes, Take take) {
    std::uint32_t pending = 0;
    std::size_t bits = 0;
    std::size_t at = 0;
    for (std::size_t i = 0; i < 256; ++i) {
        for (; bits < D; bits += 8) pending |= std::uint32_t{bytes[at++]} << bits;
        take(i, pending & ((1U << D) - 1));
        pending >>= D;
        bits -= D;
    }
}

}  // namespace

void Portable::ntt(Poly& f) {
    std::size_t next = 1;
    // Each of the seven layers adds less than q: |f| < 8 q < 2^15.
    for (std::size_t length = 128; length >= 2; length /= 2) {
        for (std::size_t start = 0; start < 256; start += 2 * length) {
            const std::int16_t zeta = zetas[next++];
            for (std::size_t j = start; j < start + length; ++j) {
                const std::int16_t t = multiply(zeta, f.c[j + length]);
                f.c[j + length] = narrow(f.c[j] - t);
                f.c[j] = narrow(f.c[j] + t);
            }
        }
    }
    reduce(f);
}

void Portable::inverse_ntt(Poly& f) {
    std::size_t next = 127;
    for (std::size_t length = 2; length <= 128; length *= 2) {
        for (std::size_t start = 0; start < 256; start += 2 * length) {
            const std::int16_t zeta = zetas[next--];
            for (std::size_t j = start; j < start + length; ++j) {
                const std::int16_t t = f.c[j];
                f.c[j] = narrow(t + f.c[j + length]);
                f.c[j + length] = multiply(zeta, f.c[j + length] - t);
            }
        }
        // Sums have doubled three times: below 8 * 2600 < 2^15. From q / 2 on, four times: 8 q.
        if (length == 8) reduce(f);
    }
    for (std::int16_t& c : f.c) c = multiply(c, r_squared_by_128);
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
    constexpr std::uint32_t mask = Eta == 2 ? 0x55555555 : 0x49249249;
    // Four bytes hold eight coefficients of eta 2, three bytes four of eta 3.
    constexpr std::size_t step = Eta == 2 ? 4 : 3;
    constexpr std::size_t count = step * 4 / Eta;
    for (std::size_t i = 0; i < 64 * Eta / step; ++i) {
        std::uint32_t bits = 0;
        for (std::size_t j = 0; j < step; ++j) {
            bits |= std::uint32_t{bytes[step * i + j]} << (8 * j);
        }
        // In each field of eta bits, how many are one.
        std::uint32_t counts = (bits & mask) + ((bits >> 1U) & mask);
        if constexpr (Eta == 3) counts += (bits >> 2U) & mask;
        for (std::size_t j = 0; j < count; ++j) {
            constexpr std::uint32_t field = (1U << Eta) - 1;
            const std::uint32_t x = (counts >> (2 * Eta * j)) & field;
            const std::uint32_t y = (counts >> (2 * Eta * j + Eta)) & field;
            f.c[count * i + j] = static_cast<std::int16_t>(x - y);
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
