// X25519 and Ed25519: keys 0x01 ... 0x20 and 0x21 ... 0x40; public keys, shared secret and
// signature (of the bytes 0 to 255, four times) by OpenSSL 3.5. Made by make.py.
#pragma once

#include "core/crypto/known_answers/operation.hpp"

namespace quoin::core::known_answers::curve25519_vectors {
// clang-format off
inline constexpr auto private_a = hex<32>("0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20");
inline constexpr auto x25519_public_a = hex<32>("07a37cbc142093c8b755dc1b10e86cb426374ad16aa853ed0bdfc0b2b86d1c7c");
inline constexpr auto ed25519_public_a = hex<32>("79b5562e8fe654f94078b112e8a98ba7901f853ae695bed7e0e3910bad049664");
inline constexpr auto signature = hex<64>("a80459a15f9a2913273fcd5c2a17b8207cb0ee86fdc8229b8d75b947d6c9efeeec28bbd239b89c46dceaa45f39c3cae583aff63dafa918010ef2aa61c400ff0f");
inline constexpr auto private_b = hex<32>("2122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f40");
inline constexpr auto x25519_public_b = hex<32>("5869aff450549732cbaaed5e5df9b30a6da31cb0e5742bad5ad4a1a768f1a67b");
inline constexpr auto shared = hex<32>("a84dc7c3c8f058b1b2dc4cd1e9b5dc0a7987f88b6a9564cde3391fc421159e77");
inline constexpr auto ed25519_public_b = hex<32>("e7f162a10bec559afea195e4dce84b69568d5d2cb0963eb446c0685e2b17f2f0");
// clang-format on
}  // namespace quoin::core::known_answers::curve25519_vectors
