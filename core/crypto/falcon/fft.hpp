// Polynomials modulo X^n + 1 over the reals and their Fourier transforms: specification, sections
// 3.6 and 3.7. For falcon/ only.
//
// A polynomial is n reals. Transformed, it is its values at n / 2 roots, one of each conjugate
// pair: the real parts in [0, n / 2), the imaginary ones in [n / 2, n). Values 2 b and 2 b + 1
// belong to roots of opposite sign, whose square is root b of half the degree: so splitfft and
// mergefft (Algorithms 1 and 2) are local. A self-adjoint polynomial (a a* for example) has real
// values: only those n / 2 are kept.
//
// Every function is written once for lanes: V is the Real of the backend itself, or four of them in
// a vector. The operations on each value and their order are the same, so all results are.
#pragma once

#include <cstddef>
#include <utility>

#include "core/crypto/falcon/roots.hpp"

namespace quoin::core::falcon {

// One value at a time; avx2.hpp has four. Pairs are neighbours: a[0] b[0] a[1] b[1] ....
// Tag: the backend, whose build of it must not be taken for another's.
template <class Real, class Tag>
struct OneLane {
    using One = OneLane;
    static constexpr std::size_t width = 1;
    Real value;

    static OneLane load(const Real* from) { return {*from}; }
    static OneLane all(Real value) { return {value}; }
    static void load_pairs(const Real* from, OneLane& a, OneLane& b) {
        a.value = from[0];
        b.value = from[1];
    }
    static OneLane load_bits(const std::uint64_t* from) { return {Real::from_bits(*from)}; }
    void store(Real* to) const { *to = value; }
    static void store_pairs(Real* to, OneLane a, OneLane b) {
        to[0] = a.value;
        to[1] = b.value;
    }
    friend OneLane operator+(OneLane a, OneLane b) { return {a.value + b.value}; }
    friend OneLane operator-(OneLane a, OneLane b) { return {a.value - b.value}; }
    friend OneLane operator*(OneLane a, OneLane b) { return {a.value * b.value}; }
    friend OneLane operator/(OneLane a, OneLane b) { return {a.value / b.value}; }
    OneLane operator-() const { return {-value}; }
    OneLane half() const { return {value.half()}; }
};

// A complex value in each lane.
template <class V>
struct Complex {
    V re, im;

    friend Complex operator+(Complex a, Complex b) { return {a.re + b.re, a.im + b.im}; }
    friend Complex operator-(Complex a, Complex b) { return {a.re - b.re, a.im - b.im}; }
    friend Complex operator*(Complex a, Complex b) {
        return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
    }
    friend Complex operator*(Complex a, V b) { return {a.re * b, a.im * b}; }
    Complex conjugate() const { return {re, -im}; }
    Complex half() const { return {re.half(), im.half()}; }
    V squared_norm() const { return re * re + im * im; }
};

template <class Real, class Wide>
class Fft {
public:
    using One = Wide::One;

    // f(x) at the roots, in place.
    static void transform(Real* f, std::size_t n) {
        for (std::size_t m = 1; m <= n / 4; m *= 2) {
            n / 4 / m >= Wide::width ? layer<Wide>(f, n, m) : layer<One>(f, n, m);
        }
    }
    // Back, in place.
    static void transform_back(Real* f, std::size_t n) {
        for (std::size_t m = n / 4; m >= 1; m /= 2) {
            n / 4 / m >= Wide::width ? layer_back<Wide>(f, n, m) : layer_back<One>(f, n, m);
        }
        scale(f, Real::from_integer(1) / Real::from_integer(static_cast<std::int64_t>(n / 2)), n);
    }

    // Calls body(V{}, i) for i in steps of V's width: four at a time where there are four.
    template <class Body>
    static void for_lanes(std::size_t count, Body body) {
        if (count >= Wide::width) {
            for (std::size_t i = 0; i < count; i += Wide::width) body(Wide{}, i);
        } else {
            for (std::size_t i = 0; i < count; ++i) body(One{}, i);
        }
    }

    // Value i of n / 2.
    template <class V>
    static Complex<V> get(const Real* f, std::size_t i, std::size_t n) {
        return {V::load(f + i), V::load(f + i + n / 2)};
    }
    template <class V>
    static void put(Real* f, std::size_t i, std::size_t n, Complex<V> value) {
        value.re.store(f + i);
        value.im.store(f + i + n / 2);
    }

    // f = f0(x^2) + x f1(x^2). Algorithm 1; n >= 4.
    static void split(Real* f0, Real* f1, const Real* f, std::size_t n) {
        for_lanes(n / 4, [&]<class V>(V, std::size_t i) {
            const auto [even, odd] = get_pairs<V>(f, i, n);
            put(f0, i, n / 2, (even + odd).half());
            put(f1, i, n / 2, ((even - odd) * root<V>(n / 4 + i).conjugate()).half());
        });
    }
    // The values of f0(x^2) + x f1(x^2) that belong to values i of f0 and of f1: Algorithm 2.
    template <class V>
    static std::pair<Complex<V>, Complex<V>> merged(const Real* f0, const Real* f1, std::size_t i,
                                                    std::size_t n) {
        const auto even = get<V>(f0, i, n / 2);
        const auto odd = get<V>(f1, i, n / 2) * root<V>(n / 4 + i);
        return {even + odd, even - odd};
    }
    // The same as split for a self-adjoint d; d0 is self-adjoint too.
    static void split_real(Real* d0, Real* d1, const Real* d, std::size_t n) {
        for_lanes(n / 4, [&]<class V>(V, std::size_t i) {
            V even, odd;
            V::load_pairs(d + 2 * i, even, odd);
            (even + odd).half().store(d0 + i);
            put(d1, i, n / 2, root<V>(n / 4 + i).conjugate() * (even - odd).half());
        });
    }

    template <class V>
    static std::pair<Complex<V>, Complex<V>> get_pairs(const Real* f, std::size_t i,
                                                       std::size_t n) {
        Complex<V> even, odd;
        V::load_pairs(f + 2 * i, even.re, odd.re);
        V::load_pairs(f + 2 * i + n / 2, even.im, odd.im);
        return {even, odd};
    }
    template <class V>
    static void put_pairs(Real* f, std::size_t i, std::size_t n, Complex<V> even, Complex<V> odd) {
        V::store_pairs(f + 2 * i, even.re, odd.re);
        V::store_pairs(f + 2 * i + n / 2, even.im, odd.im);
    }

    // a = a b.
    static void multiply(Real* a, const Real* b, std::size_t n) {
        for_lanes(n / 2, [&]<class V>(V, std::size_t i) {
            put(a, i, n, get<V>(a, i, n) * get<V>(b, i, n));
        });
    }
    // a = a c.
    static void scale(Real* a, Real c, std::size_t n) {
        for_lanes(n, [&]<class V>(V, std::size_t i) { (V::load(a + i) * V::all(c)).store(a + i); });
    }

    template <class V>
    static Complex<V> root(std::size_t i) {
        return {V::load_bits(roots_real + i), V::load_bits(roots_imaginary + i)};
    }

private:
    // The layer with m blocks, each of two halves of `length` values.
    template <class V>
    static void layer(Real* f, std::size_t n, std::size_t m) {
        const std::size_t length = n / 4 / m;
        for (std::size_t b = 0; b < m; ++b) {
            const Complex<V> root = broadcast_root<V>(m + b);
            for (std::size_t i = 2 * b * length; i < (2 * b + 1) * length; i += V::width) {
                const auto low = get<V>(f, i, n);
                const auto high = get<V>(f, i + length, n) * root;
                put(f, i, n, low + high);
                put(f, i + length, n, low - high);
            }
        }
    }
    template <class V>
    static void layer_back(Real* f, std::size_t n, std::size_t m) {
        const std::size_t length = n / 4 / m;
        for (std::size_t b = 0; b < m; ++b) {
            const Complex<V> root = broadcast_root<V>(m + b).conjugate();
            for (std::size_t i = 2 * b * length; i < (2 * b + 1) * length; i += V::width) {
                const auto low = get<V>(f, i, n);
                const auto high = get<V>(f, i + length, n);
                put(f, i, n, low + high);
                put(f, i + length, n, (low - high) * root);
            }
        }
    }
    template <class V>
    static Complex<V> broadcast_root(std::size_t i) {
        return {V::all(Real::from_bits(roots_real[i])),
                V::all(Real::from_bits(roots_imaginary[i]))};
    }
};

}  // namespace quoin::core::falcon
