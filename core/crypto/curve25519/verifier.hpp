// Ed25519 verification over any field: for the .cpp files that instantiate it.
#pragma once

#include "core/base/constant_time.hpp"
#include "core/crypto/curve25519/ed25519.hpp"
#include "core/crypto/curve25519/edwards.hpp"
#include "core/crypto/sha2/sha2.hpp"

namespace quoin::core::ed25519 {

// RFC 8032, 5.1.7, without the cofactor in step 3. R is compared as an encoding: only the canonical
// one can be equal.
template <class Field>
Result<void> verify(PublicKey public_key, Bytes message, Signature signature) {
    curve25519::Point<Field> a;
    if (!curve25519::decode<Field>(public_key, a) || curve25519::has_small_order<Field>(a)) {
        return std::unexpected(Code::peer_malformed);
    }
    const auto s = signature.template last<32>();
    if (!curve25519::is_canonical(s)) return std::unexpected(Code::integrity_signature);
    sha2::Sha512 hash;
    hash.update(signature.template first<32>());
    hash.update(public_key);
    hash.update(message);
    const curve25519::Scalar k = curve25519::reduce(hash.finish());
    a.x = (Field(0) - a.x) * Field(1);
    a.t = (Field(0) - a.t) * Field(1);
    curve25519::Scalar s_scalar{};
    for (std::size_t i = 0; i < 32; ++i) s_scalar[i] = s[i];
    std::array<std::uint8_t, 32> r{};
    curve25519::encode<Field>(curve25519::multiply_both_public<Field>(k, a, s_scalar), r);
    if (!ct::equal(r, signature.template first<32>())) {
        return std::unexpected(Code::integrity_signature);
    }
    return {};
}

}  // namespace quoin::core::ed25519
