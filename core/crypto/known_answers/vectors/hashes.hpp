// Of 1024 bytes, 0 to 255 four times: SHA-2, SHA-3, SHAKE (64 bytes), HMAC and HKDF (key: the first
// 32 of them; HKDF: SHA-256, no salt, info: the first 16, 64 bytes out) by Python's hashlib and
// OpenSSL. Made by make.py.
#pragma once

#include "core/crypto/known_answers/operation.hpp"

namespace quoin::core::known_answers::hashes_vectors {
// clang-format off
inline constexpr auto sha256 = hex<32>("785b0751fc2c53dc14a4ce3d800e69ef9ce1009eb327ccf458afe09c242c26c9");
inline constexpr auto sha384 = hex<48>("55fd17eeb1611f9193f6ac600238ce63aa298c2e332f042b80c8f691f800e4c7505af20c1a86a31f08504587395f081f");
inline constexpr auto sha512 = hex<64>("37f652be867f28ed033269cbba201af2112c2b3fd334a89fd2f757938ddee815787cc61d6e24a8a33340d0f7e86ffc058816b88530766ba6e231620a130b566c");
inline constexpr auto sha3_256 = hex<32>("b6c70631c6ff932b9f380d9cde8750eb9bea393817a9aea410c2119eb7b9b870");
inline constexpr auto sha3_512 = hex<64>("b052fd4a09f988bbe4112d9a3eca8ccc517e56da866c1609504c37871146da80731bb681674a2000a41bcb78230b3d9069eb42820293ce23cba294550a1d4d3b");
inline constexpr auto shake128 = hex<64>("7a2fa3e3da9562a19c7d525efcecd31b49e0acb18689552ecf5c51c505fd294f8784b698274e11626bc3d3bdbc2feb92d08243981ecd690a8bd34cd2e03b8ddf");
inline constexpr auto shake256 = hex<64>("60aff3fd4c0f158ba0ed6890336a907451281739d48cc8315211b3666061974229707d69e66dfc1961e752f68c312cdc17f006c5cebbb186c9fbc8e33e86fe0b");
inline constexpr auto hmac_sha256 = hex<32>("b7461b582e6d4e287bcc2f9f853344bc3fcbf7dd4e5c87e4fab2b4fcd50c7c05");
inline constexpr auto hmac_sha512 = hex<64>("b218226990b6f05e135fc1ac4f305f142797a8b0c58396559b2a4b030f945e997224d892c78face527b991e160bfabfa032f544d73326fd7234f9d156947628b");
inline constexpr auto hkdf_sha256 = hex<64>("edb0a1cdbab45f16186a981e78d34b6c89b5e8db5a6b05315bbe30b0a81887513bf6455bcf7c6c8deb1da8f7737e22e5f2aa43977e2975a181272b1548d56c8e");
// clang-format on
}  // namespace quoin::core::known_answers::hashes_vectors
