// X25519 over any field: for the .cpp files that instantiate it.
#pragma once

#include "core/base/constant_time.hpp"
#include "core/base/declassify.hpp"
#include "core/crypto/curve25519/x25519.hpp"

namespace quoin::core::x25519 {

// What a multiplication keeps: wiped as one.
template <class Field>
struct Ladder {
    std::array<std::uint8_t, key_size> k{};
    Field x_2{1}, z_2{0}, x_3, z_3{1};
    Field a, b, c, d, da, cb, aa, bb, e, sum;
};

// RFC 7748, 5: the Montgomery ladder, one step for each of the 255 bits.
template <class Field>
void multiply(Key scalar, Key u, MutableKey result) {
    Ladder<Field> ladder;
    auto& [k, x_2, z_2, x_3, z_3, a, b, c, d, da, cb, aa, bb, e, sum] = ladder;
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
        // In units: a, c 2; b, d 3; e 3.
        a = x_2 + z_2, b = x_2 - z_2;
        c = x_3 + z_3, d = x_3 - z_3;
        da = d * a, cb = c * b;
        aa = a.square(), bb = b.square();
        e = aa - bb;
        sum = da + cb;
        x_3 = sum.square();
        sum = da - cb;
        z_3 = x_1 * sum.square();
        x_2 = aa * bb;
        sum = aa + e.times(121665);
        z_2 = e * sum;
    }
    const Limb swap = ct::barrier(static_cast<Limb>(0 - swapped));
    Field::exchange(x_2, x_3, swap);
    Field::exchange(z_2, z_3, swap);
    e = z_2.inverse();
    x_2 = x_2 * e;
    x_2.store(result);
    ct::wipe_object(ladder);
}

template <class Field>
void public_key(Key private_key, MutableKey public_key) {
    constexpr std::array<std::uint8_t, key_size> base = {9};
    multiply<Field>(private_key, base, public_key);
}

template <class Field>
Result<void> shared_secret(Key private_key, Key peer_public_key, MutableKey shared) {
    multiply<Field>(private_key, peer_public_key, shared);
    std::uint8_t any = 0;
    for (const std::uint8_t byte : shared) any |= byte;
    const bool is_zero = any == 0;
    ct::declassify(is_zero);
    if (is_zero) return std::unexpected(Code::peer_malformed);
    return {};
}

}  // namespace quoin::core::x25519
