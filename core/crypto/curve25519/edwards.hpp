// Points of Ed25519's curve -x^2 + y^2 = 1 + d x^2 y^2, RFC 8032, 5.1. The formulas are complete
// (no exceptions for any two points): H. Hisil, K. Wong, G. Carter, E. Dawson, "Twisted Edwards
// curves revisited" (2008), 3.1 and 3.3.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/constant_time.hpp"
#include "core/crypto/curve25519/field.hpp"
#include "core/crypto/curve25519/scalar.hpp"
#include "core/crypto/curve25519/tables.hpp"

namespace quoin::core::curve25519 {

template <class Field>
Field constant(const std::array<std::uint32_t, 8>& words) {
    return Field::load_words(words);
}
// d = -121665 / 121666, and a square root of -1.
inline constexpr std::array<std::uint32_t, 8> d_words = {
    0x135978a3, 0x75eb4dca, 0x4141d8ab, 0x00700a4d, 0x7779e898, 0x8cc74079, 0x2b6ffe73, 0x52036cee};
inline constexpr std::array<std::uint32_t, 8> root_words = {
    0x4a0ea0b0, 0xc4ee1b27, 0xad2fe478, 0x2f431806, 0x3dfbd7a7, 0x2b4d0099, 0x4fc1df0b, 0x2b832480};

// Extended coordinates: x = X / Z, y = Y / Z, T = X Y / Z. All of 1 unit.
template <class Field>
struct Point {
    Field x{0}, y{1}, z{1}, t{0};  // the neutral element
};

// A point to be added: (y + x, y - x, 2 z, 2 d t), of 2, 3, 2 and 1 units at most; negated, of 3,
// 2, 2 and 2.
template <class Field>
struct Addend {
    Field sum, difference, twice_z, t2d;
};

// A result before its last multiplications: x = e f, y = g h, z = f g, t = e h.
template <class Field>
struct Raw {
    Field e, f, g, h;

    Point<Field> point() const { return {e * f, g * h, f * g, e * h}; }
    // For a doubling, which needs no t.
    Point<Field> point_without_t() const { return {e * f, g * h, f * g, Field(0)}; }
};

template <class Field>
Addend<Field> addend(const Point<Field>& p) {
    const Field two_d = constant<Field>(d_words) + constant<Field>(d_words);
    return {p.y + p.x, p.y - p.x, p.z + p.z, p.t * two_d};
}

template <class Field>
Addend<Field> addend(std::span<const std::uint32_t, 24> packed) {
    return {Field::load_words(packed.template subspan<0, 8>()),
            Field::load_words(packed.template subspan<8, 8>()), Field(2),
            Field::load_words(packed.template subspan<16, 8>())};
}

template <class Field>
Addend<Field> negative(const Addend<Field>& q) {
    return {q.difference, q.sum, q.twice_z, Field(0) - q.t2d};
}

// Units: a 9, b 6, c 2 at most (as factors), then e 3, f and g 4, h 2.
template <class Field>
Raw<Field> combine(const Field& z, const Point<Field>& p, const Addend<Field>& q) {
    const Field a = (p.y - p.x) * q.difference, b = (p.y + p.x) * q.sum;
    const Field c = p.t * q.t2d;
    return {b - a, z - c, z + c, b + a};
}
template <class Field>
Raw<Field> add(const Point<Field>& p, const Addend<Field>& q) {
    return combine(p.z * q.twice_z, p, q);
}
// The same for an addend with z = 1.
template <class Field>
Raw<Field> add_affine(const Point<Field>& p, const Addend<Field>& q) {
    return combine(p.z + p.z, p, q);
}

// All four are the negatives of the paper's, which cancels. Units: e 4, f 5, g 3, h 2.
template <class Field>
Raw<Field> twice(const Point<Field>& p) {
    const Field a = p.x.square(), b = p.y.square(), zz = p.z.square();
    const Field h = a + b, g = a - b;
    return {h - (p.x + p.y).square(), zz + zz + g, g, h};
}

// RFC 8032, 5.1.2. Not inlined, nor is multiply_base(): signing wipes the stack below itself.
template <class Field>
[[gnu::noinline]] void encode(const Point<Field>& p, std::span<std::uint8_t, 32> bytes) {
    const Field inverse = p.z.inverse();
    (p.y * inverse).store(bytes);
    bytes[31] |= static_cast<std::uint8_t>((p.x * inverse).is_odd() << 7U);
}

// RFC 8032, 5.1.3, for public points. False: not the encoding of a point, or not its only one.
template <class Field>
bool decode(std::span<const std::uint8_t, 32> bytes, Point<Field>& p) {
    p.y = Field::load(bytes);
    std::array<std::uint8_t, 32> canonical{};
    p.y.store(canonical);
    const std::uint8_t sign = bytes[31] >> 7U;
    canonical[31] |= static_cast<std::uint8_t>(sign << 7U);
    if (!ct::equal(canonical, bytes)) return false;  // step 1: y >= p
    // Steps 2 and 3: x = u v^3 (u v^7)^((p-5)/8) or that times a root of -1.
    const Field yy = p.y.square();
    const Field u = yy - Field(1), v = constant<Field>(d_words) * yy + Field(1);
    const Field v3 = v.square() * v;
    const Field v7 = v3.square() * v;
    p.x = (u * v3) * (u * v7).power_252_3();
    const Field vxx = v * p.x.square();
    if (!(vxx - u * Field(1)).is_zero()) {
        if (!(vxx + u).is_zero()) return false;
        p.x = p.x * constant<Field>(root_words);
    }
    const bool x_is_zero = p.x.is_zero();
    if (x_is_zero && sign == 1) return false;  // step 4
    if (p.x.is_odd() != sign) p.x = (Field(0) - p.x) * Field(1);
    p.z = Field(1);
    p.t = p.x * p.y;
    return true;
}

// Whether 8 p is the neutral element, for public points.
template <class Field>
bool has_small_order(Point<Field> p) {
    for (int i = 0; i < 3; ++i) p = twice(p).point();
    return p.x.is_zero() && (p.y - p.z).is_zero();
}

// 64 digits of -8 to 8 with scalar = sum of digit[i] * 16^i; the scalar is below 2^255.
inline std::array<std::int8_t, 64> signed_digits(const Scalar& scalar) {
    std::array<std::int8_t, 64> digits{};
    int carry = 0;
    for (std::size_t i = 0; i < 64; ++i) {
        const int digit = ((scalar[i / 2] >> (4 * (i % 2))) & 15) + carry;  // 0 to 16
        carry = i == 63 ? 0 : (digit + 8) >> 4;
        digits[i] = static_cast<std::int8_t>(digit - 16 * carry);
    }
    return digits;
}

// digit * 16^(8 group) * B, reading all eight entries.
template <class Field>
Addend<Field> choose(std::size_t group, std::int8_t digit) {
    const auto value = static_cast<std::uint32_t>(static_cast<std::int32_t>(digit));
    const std::uint32_t negated = ct::barrier(0 - (value >> 31U));
    const std::uint32_t size = (value ^ negated) - negated;
    std::array<std::uint32_t, 24> words{};
    for (std::uint32_t i = 0; i < 8; ++i) {
        // All ones where size == i + 1: only then the difference minus one is negative.
        const std::uint32_t chosen = ct::barrier(0 - (((size ^ (i + 1)) - 1) >> 31U));
        const auto& entry = comb_table[8 * group + i].words;
        for (std::size_t j = 0; j < words.size(); ++j) words[j] |= entry[j] & chosen;
    }
    // Nothing was chosen for 0: the neutral element is (1, 1, 0).
    const std::uint32_t none = ct::barrier((size - 1) >> 31U);
    words[0] |= none;
    words[8] |= none;
    Addend<Field> q = addend<Field>(words);
    using Limb = Field::Limb;
    const Limb mask = ct::barrier(static_cast<Limb>(0 - static_cast<Limb>(negated & 1U)));
    Field::exchange(q.sum, q.difference, mask);
    Field minus = Field(0) - q.t2d;
    Field::exchange(q.t2d, minus, mask);
    ct::wipe_object(words);
    ct::wipe_object(minus);
    return q;
}

// scalar * B in constant time: sum over k of 16^k * (sum over j of digit[8 j + k] * 16^(8 j) * B).
template <class Field>
[[gnu::noinline]] Point<Field> multiply_base(const Scalar& scalar) {
    std::array<std::int8_t, 64> digits = signed_digits(scalar);
    Point<Field> p;
    Addend<Field> chosen;  // tells the last digit
    for (std::size_t k = 8; k-- > 0;) {
        if (k != 7) {
            for (int i = 0; i < 3; ++i) p = twice(p).point_without_t();
            p = twice(p).point();
        }
        for (std::size_t j = 0; j < 8; ++j) {
            chosen = choose<Field>(j, digits[8 * j + k]);
            p = add_affine(p, chosen).point();
        }
    }
    ct::wipe_object(digits);
    ct::wipe_object(chosen);
    return p;
}

// Digits that are 0 or odd, from -15 to 15, no two of five neighbours nonzero. For public scalars
// below 2^253.
inline std::array<std::int8_t, 257> sparse_digits(const Scalar& scalar) {
    const auto bit = [&](std::size_t i) -> int {
        return i < 256 ? (scalar[i / 8] >> (i % 8)) & 1 : 0;
    };
    std::array<std::int8_t, 257> digits{};
    int carry = 0;
    for (std::size_t i = 0; i < digits.size();) {
        if (bit(i) == carry) {  // an even rest; the carry goes on
            ++i;
            continue;
        }
        int digit = carry;
        for (std::size_t j = 0; j < 5; ++j) digit += bit(i + j) << j;
        carry = digit >> 4;  // 16 and above become negative
        digits[i] = static_cast<std::int8_t>(digit - 32 * carry);
        i += 5;
    }
    return digits;
}

// a * p + b * B, for public scalars and points: the time depends on them.
template <class Field>
Point<Field> multiply_both_public(const Scalar& a, const Point<Field>& p, const Scalar& b) {
    std::array<Addend<Field>, 8> multiples;  // p, 3 p, ... 15 p
    const Addend<Field> two_p = addend(twice(p).point());
    Point<Field> multiple = p;
    for (Addend<Field>& entry : multiples) {
        entry = addend(multiple);
        multiple = add(multiple, two_p).point();
    }
    const auto of_p = sparse_digits(a), of_base = sparse_digits(b);
    Point<Field> sum;
    for (std::size_t i = of_p.size(); i-- > 0;) {
        const std::int8_t u = of_p[i], v = of_base[i];
        const Raw<Field> doubled = twice(sum);
        sum = u == 0 && v == 0 ? doubled.point_without_t() : doubled.point();
        if (u != 0) {
            const Addend<Field>& q = multiples[static_cast<std::size_t>(u < 0 ? -u : u) / 2];
            sum = add(sum, u < 0 ? negative(q) : q).point();
        }
        if (v != 0) {
            const std::size_t at = static_cast<std::size_t>(v < 0 ? -v : v) / 2;
            const Addend<Field> q = addend<Field>(odd_table[at].words);
            sum = add_affine(sum, v < 0 ? negative(q) : q).point();
        }
    }
    return sum;
}

}  // namespace quoin::core::curve25519
