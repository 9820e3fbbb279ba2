// Private keys: f, g, F as they are encoded, and G. For falcon/ only.
#pragma once

#include "core/base/declassify.hpp"
#include "core/crypto/falcon/coding.hpp"

namespace quoin::core::falcon {

template <class Set>
struct Basis {
    std::array<std::int8_t, Set::n> f, g, F, G;
};

template <class Set>
void load_small(Poly<Set>& poly, const std::array<std::int8_t, Set::n>& coefficients) {
    for (std::size_t i = 0; i < Set::n; ++i) poly.c[i] = coefficients[i];
}

// G = g F / f modulo q, as f G - g F = q; false if f has no inverse or a coefficient is not in
// [-127, 127]. a and b are scratch, and keep secrets.
template <class Set, class RingBackend>
bool complete_basis(Basis<Set>& basis, Poly<Set>& a, Poly<Set>& b) {
    using Ring = Ring<Set, RingBackend>;
    load_small(a, basis.f);
    Ring::transform(a);
    const bool invertible = Ring::invert(a);
    load_small(b, basis.g);
    Ring::transform(b);
    Ring::multiply(b, a);
    Ring::to_montgomery(b);
    load_small(a, basis.F);
    Ring::transform(a);
    Ring::multiply_back(a, b);
    std::uint32_t large = 0;
    for (std::size_t i = 0; i < Set::n; ++i) {
        const std::int32_t c = center(a.c[i]);
        large |= static_cast<std::uint32_t>(c + 127) | static_cast<std::uint32_t>(127 - c);
        basis.G[i] = static_cast<std::int8_t>(c);
    }
    return invertible && ct::declassified(large >> 31U) == 0;
}

// f, g and F; false if the header is another or a coefficient is the least of its width, which no
// encoder writes. Whether a private key is one is public.
template <class Set>
bool decode_private_key(Basis<Set>& basis,
                        std::span<const std::uint8_t, Set::private_key_size> bytes) {
    constexpr std::size_t fg_size = Set::fg_bits * Set::n / 8;
    std::uint32_t refused = 0;
    const auto decode = [&]<unsigned Width>(std::array<std::int8_t, Set::n>& to, Bytes from) {
        constexpr std::uint32_t least = 1U << (Width - 1);
        return unpack_fields<Width>(from, [&](std::size_t i, std::uint32_t field) {
            refused |= ((field ^ least) - 1) >> 31U;
            to[i] = static_cast<std::int8_t>((field ^ least) - least);
            return true;
        });
    };
    const Bytes fields = bytes.subspan(1);
    decode.template operator()<Set::fg_bits>(basis.f, fields.first(fg_size));
    decode.template operator()<Set::fg_bits>(basis.g, fields.subspan(fg_size, fg_size));
    decode.template operator()<8>(basis.F, fields.subspan(2 * fg_size));
    return ct::declassified(bytes[0]) == Set::private_key_header && ct::declassified(refused) == 0;
}

// h = g / f modulo q; false if f has no inverse. scratch keeps secrets.
template <class Set, class RingBackend>
bool make_public_key(std::span<std::uint8_t, Set::public_key_size> public_key,
                     const Basis<Set>& basis, Poly<Set>& h, Poly<Set>& scratch) {
    using Ring = Ring<Set, RingBackend>;
    load_small(scratch, basis.f);
    Ring::transform(scratch);
    const bool invertible = Ring::invert(scratch);
    load_small(h, basis.g);
    Ring::transform(h);
    Ring::multiply_back(h, scratch);
    public_key[0] = Set::public_key_header;
    pack_fields<14>(public_key.subspan(1), [&](std::size_t i) {
        const std::int32_t c = center(h.c[i]);
        return static_cast<std::uint32_t>(c + (q & (c >> 31)));
    });
    return invertible;
}

}  // namespace quoin::core::falcon
