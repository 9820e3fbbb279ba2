// Ed25519 keys and signing over any field: for the .cpp files that instantiate it.
#pragma once

#include "core/base/constant_time.hpp"
#include "core/crypto/curve25519/ed25519.hpp"
#include "core/crypto/curve25519/edwards.hpp"
#include "core/crypto/sha2/sha2.hpp"

namespace quoin::core::ed25519 {

// For ct::wipe_stack(): the frames below multiply_base(), which are the deepest, by g++ 14 and
// clang
// 19. encode() leaves powers of Z, which tells of the scalar.
inline constexpr std::size_t sign_stack = sizeof(void*) == 8 ? 1664 : 1344;

// RFC 8032, 5.1.5.
template <class Field>
PrivateKey<Field>::PrivateKey(std::span<const std::uint8_t, seed_size> seed) {
    sha2::Sha512 hash;
    hash.update(seed);
    std::array<std::uint8_t, 64> expanded = hash.finish();  // step 1
    for (std::size_t i = 0; i < 32; ++i) {
        scalar_[i] = expanded[i];
        prefix_[i] = expanded[32 + i];
    }
    scalar_[0] &= 248;  // step 2
    scalar_[31] = static_cast<std::uint8_t>((scalar_[31] & 127U) | 64U);
    curve25519::Point<Field> a = curve25519::multiply_base<Field>(scalar_);  // step 3
    curve25519::encode<Field>(a, public_key_);                               // step 4
    ct::wipe_object(a);  // its Z tells of the scalar
    ct::wipe(expanded);
    hash.wipe();
    ct::wipe_stack<sign_stack>();
}

template <class Field>
PrivateKey<Field>::~PrivateKey() {
    ct::wipe(scalar_);
    ct::wipe(prefix_);
}

// RFC 8032, 5.1.6.
template <class Field>
void PrivateKey<Field>::sign(Bytes message,
                             std::span<std::uint8_t, signature_size> signature) const {
    sha2::Sha512 hash;
    hash.update(prefix_);
    hash.update(message);
    std::array<std::uint8_t, 64> digest = hash.finish();
    curve25519::Scalar r = curve25519::reduce(digest);  // step 2
    curve25519::Point<Field> point = curve25519::multiply_base<Field>(r);
    std::array<std::uint8_t, 32> encoded{};     // `message` may be where the signature goes
    curve25519::encode<Field>(point, encoded);  // step 3
    hash.update(encoded);
    hash.update(public_key_);
    hash.update(message);
    const curve25519::Scalar k = curve25519::reduce(hash.finish());        // step 4
    const curve25519::Scalar s = curve25519::multiply_add(k, scalar_, r);  // step 5
    for (std::size_t i = 0; i < 32; ++i) {
        signature[i] = encoded[i];
        signature[32 + i] = s[i];
    }
    ct::wipe_object(point);
    ct::wipe(digest);
    ct::wipe(r);
    hash.wipe();
    ct::wipe_stack<sign_stack>();
}

}  // namespace quoin::core::ed25519
