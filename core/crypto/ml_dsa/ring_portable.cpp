#include "core/base/constant_time.hpp"
#include "core/crypto/ml_dsa/field.hpp"
#include "core/crypto/ml_dsa/ring.hpp"

namespace quoin::core::ml_dsa {
namespace {

constexpr std::array<std::int32_t, n> zetas = make_zetas();

// Line 11 to 13 of Algorithm 41: grows |a| by less than q.
inline void butterfly(std::int32_t& a, std::int32_t& b, std::int32_t zeta) {
    const std::int32_t t = montgomery_multiply(zeta, b);
    b = a - t;
    a = a + t;
}

// Line 11 to 14 of Algorithm 42: doubles |a|, leaves |b| < q.
inline void inverse_butterfly(std::int32_t& a, std::int32_t& b, std::int32_t zeta) {
    const std::int32_t t = a;
    a = t + b;
    b = montgomery_multiply(zeta, b - t);
}

// The layers `length` and `length` / 2 of the transform at once: half the loads and stores.
template <std::size_t length>
void two_layers(std::int32_t* w) {
    constexpr std::size_t blocks = n / (2 * length);
    constexpr std::size_t half = length / 2;
    const std::int32_t* zeta = zetas.data();
    for (std::size_t block = 0; block < blocks; ++block, w += 2 * length) {
        const std::int32_t outer = zeta[blocks + block];
        const std::int32_t first = zeta[2 * (blocks + block)];
        const std::int32_t second = zeta[2 * (blocks + block) + 1];
        for (std::size_t j = 0; j < half; ++j) {
            std::int32_t a = w[j];
            std::int32_t b = w[j + half];
            std::int32_t c = w[j + length];
            std::int32_t e = w[j + length + half];
            butterfly(a, c, outer);
            butterfly(b, e, outer);
            butterfly(a, b, first);
            butterfly(c, e, second);
            w[j] = a;
            w[j + half] = b;
            w[j + length] = c;
            w[j + length + half] = e;
        }
    }
}

// The layers `length` / 2 and `length` of the inverse transform at once.
template <std::size_t length>
void two_inverse_layers(std::int32_t* w) {
    constexpr std::size_t blocks = n / (2 * length);
    constexpr std::size_t half = length / 2;
    const std::int32_t* zeta = zetas.data();
    for (std::size_t block = 0; block < blocks; ++block, w += 2 * length) {
        const std::int32_t outer = zeta[2 * blocks - 1 - block];
        const std::int32_t first = zeta[2 * (2 * blocks - 1 - block) + 1];
        const std::int32_t second = zeta[2 * (2 * blocks - 1 - block)];
        for (std::size_t j = 0; j < half; ++j) {
            std::int32_t a = w[j];
            std::int32_t b = w[j + half];
            std::int32_t c = w[j + length];
            std::int32_t e = w[j + length + half];
            inverse_butterfly(a, b, first);
            inverse_butterfly(c, e, second);
            inverse_butterfly(a, c, outer);
            inverse_butterfly(b, e, outer);
            w[j] = a;
            w[j + half] = b;
            w[j + length] = c;
            w[j + length + half] = e;
        }
    }
}

}  // namespace

template <>
void Ring<Portable>::ntt(Poly& w) {
    two_layers<128>(w.c);
    two_layers<32>(w.c);
    two_layers<8>(w.c);
    two_layers<2>(w.c);
}

// Sums double in each layer: 2^8 q < 2^31 after the last.
template <>
void Ring<Portable>::inverse_ntt(Poly& w) {
    two_inverse_layers<2>(w.c);
    two_inverse_layers<8>(w.c);
    two_inverse_layers<32>(w.c);
    two_inverse_layers<128>(w.c);
    for (std::int32_t& c : w.c) c = montgomery_multiply(inverse_ntt_factor, c);
}

template <>
void Ring<Portable>::to_own_order(Poly&) {}

template <>
void Ring<Portable>::multiply(Poly& out, const Poly& a, const Poly& b) {
    for (std::size_t i = 0; i < n; ++i) out.c[i] = montgomery_multiply(a.c[i], b.c[i]);
}

template <>
void Ring<Portable>::dot(Poly& out, const Poly* a, const Poly* b, std::size_t count) {
    for (std::size_t i = 0; i < n; ++i) {
        std::int64_t sum = 0;
        for (std::size_t j = 0; j < count; ++j) sum += std::int64_t{a[j].c[i]} * b[j].c[i];
        out.c[i] = montgomery_reduce(sum);
    }
}

template <>
void Ring<Portable>::add(Poly& out, const Poly& a, const Poly& b) {
    for (std::size_t i = 0; i < n; ++i) out.c[i] = a.c[i] + b.c[i];
}

template <>
void Ring<Portable>::subtract(Poly& out, const Poly& a, const Poly& b) {
    for (std::size_t i = 0; i < n; ++i) out.c[i] = a.c[i] - b.c[i];
}

template <>
void Ring<Portable>::reduce(Poly& w) {
    for (std::int32_t& c : w.c) c = ml_dsa::reduce(c);
}

template <>
void Ring<Portable>::to_unsigned(Poly& w) {
    for (std::int32_t& c : w.c) c = ml_dsa::to_unsigned(c);
}

template <>
bool Ring<Portable>::exceeds(const Poly& w, std::int32_t bound) {
    std::int32_t within = -1;  // negative as long as all are
    for (const std::int32_t c : w.c) {
        const std::int32_t sign = c >> 31;
        within &= ((c ^ sign) - sign) - bound;
    }
    return ct::barrier(within) >= 0;
}

}  // namespace quoin::core::ml_dsa
