// X25519 over any field: for the .cpp files that instantiate it.
#pragma once

#include "core/base/constant_time.hpp"
#include "core/base/declassify.hpp"
#include "core/crypto/curve25519/x25519.hpp"

namespace quoin::core::x25519 {

// RFC 7748, 5: one step of the Montgomery ladder. Each value is made where it stays, so that
// nothing of it is elsewhere on the stack, and nothing is copied: a copy right after the product
// costs 40 % (it waits until the stores are through).
template <class Field>
struct LadderStep {
    Field a, b, c, d;  // in units: a, c 2; b, d 3; e 3
    Field da, cb, aa, bb, e, plus, minus, square, scaled;
    Field x_2, z_2, x_3, z_3;  // of the next step

    LadderStep(const Field& x_1, const Field& x_2_in, const Field& z_2_in, const Field& x_3_in,
               const Field& z_3_in)
        : a(x_2_in + z_2_in),
          b(x_2_in - z_2_in),
          c(x_3_in + z_3_in),
          d(x_3_in - z_3_in),
          da(d * a),
          cb(c * b),
          aa(a.square()),
          bb(b.square()),
          e(aa - bb),
          plus(da + cb),
          minus(da - cb),
          square(minus.square()),
          scaled(aa + e.times(121665)),
          x_2(aa * bb),
          z_2(e * scaled),
          x_3(plus.square()),
          z_3(x_1 * square) {}
};

// What a multiplication keeps: wiped as one.
template <class Field>
struct Ladder {
    std::array<std::uint8_t, key_size> k{};
    Field x_2{1}, z_2{0}, x_3, z_3{1};
    Field inverse;
};

// For ct::wipe_stack() after multiply(): its frame and those below, by g++ 14 and clang 19. The
// inversion and store() leave what gives the result away.
inline constexpr std::size_t multiply_stack = sizeof(void*) == 8 ? 2432 : 1984;

template <class Field>
[[gnu::noinline]] void multiply(Key scalar, Key u, MutableKey result) {
    Ladder<Field> ladder;
    auto& [k, x_2, z_2, x_3, z_3, inverse] = ladder;
    for (std::size_t i = 0; i < key_size; ++i) k[i] = scalar[i];
    k[0] &= 248;
    k[31] = static_cast<std::uint8_t>((k[31] & 127U) | 64U);

    using Limb = Field::Limb;
    const Field x_1 = Field::load(u);
    x_3 = x_1;
    Limb swapped = 0;
    for (unsigned t = 255; t-- > 0;) {
        const Limb bit = (k[t / 8] >> (t % 8)) & 1U;
        const Limb swap = ct::barrier(static_cast<Limb>(0 - (bit ^ swapped)));
        swapped = bit;
        Field::exchange(x_2, x_3, swap);
        Field::exchange(z_2, z_3, swap);
        LadderStep<Field> step(x_1, x_2, z_2, x_3, z_3);
        x_2 = step.x_2;
        z_2 = step.z_2;
        x_3 = step.x_3;
        z_3 = step.z_3;
        if (t == 0) ct::wipe_object(step);
    }
    const Limb swap = ct::barrier(static_cast<Limb>(0 - swapped));
    Field::exchange(x_2, x_3, swap);
    Field::exchange(z_2, z_3, swap);
    inverse = z_2.inverse();
    x_2 = x_2 * inverse;
    x_2.store(result);
    ct::wipe_object(ladder);
}

template <class Field>
void public_key(Key private_key, MutableKey public_key) {
    constexpr std::array<std::uint8_t, key_size> base = {9};
    multiply<Field>(private_key, base, public_key);
    ct::wipe_stack<multiply_stack>();
}

template <class Field>
Result<void> shared_secret(Key private_key, Key peer_public_key, MutableKey shared) {
    multiply<Field>(private_key, peer_public_key, shared);
    ct::wipe_stack<multiply_stack>();
    std::uint8_t any = 0;
    for (const std::uint8_t byte : shared) any |= byte;
    const bool is_zero = any == 0;
    ct::declassify(is_zero);
    if (is_zero) return std::unexpected(Code::peer_malformed);
    return {};
}

}  // namespace quoin::core::x25519
