// AES-128-GCM and AES-256-GCM. Sources: FIPS 197, NIST SP 800-38D.
//
//   key 16 or 32 | IV 12 | tag 16 | ciphertext as long as the plaintext, at most 2^36 - 32 bytes
//   Key object, in bytes:  Portable on 32 bit: 128 -> 368, 256 -> 496
//                          Portable on 64 bit: 128 -> 720, 256 -> 976
//                          AesNi:              128 -> 304, 256 -> 368
//                          Vaes:               128 -> 432, 256 -> 496
//   Stack: under 1 KiB. No workspace.
//
// An IV must never be used twice with one key: that gives away the authentication key and the XOR
// of the plaintexts. Other lengths of IV, and shorter tags, do not exist here.
// Constant time in key, plaintext, ciphertext and additional data; lengths and the IV are public.
// Threads: a const Key may be shared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"
#include "core/crypto/aes/cipher.hpp"
#include "core/crypto/backend.hpp"

namespace quoin::core::aes_gcm {

inline constexpr std::size_t iv_size = 12;
inline constexpr std::size_t tag_size = 16;
// SP 800-38D, 5.2.1.1: 2^39 - 256 bits of plaintext, 2^64 - 1 bits of additional data.
inline constexpr std::uint64_t max_plaintext_size = (std::uint64_t{1} << 36U) - 32;
inline constexpr std::uint64_t max_aad_size = (std::uint64_t{1} << 61U) - 1;

using Iv = std::span<const std::uint8_t, iv_size>;
using Tag = std::span<const std::uint8_t, tag_size>;

template <class Set, class Engine>
class BasicKey {
public:
    explicit BasicKey(std::span<const std::uint8_t, Set::key_size> key);
    BasicKey(const BasicKey&) = delete;
    BasicKey& operator=(const BasicKey&) = delete;
    ~BasicKey();

    // `ciphertext` must be as long as `plaintext`; they may be the same memory, or must not
    // overlap. input_invalid: too long, or lengths that differ. Nothing is written then.
    Result<void> seal(Iv iv, Bytes aad, Bytes plaintext, MutableBytes ciphertext,
                      std::span<std::uint8_t, tag_size> tag) const;

    // Verifies first and decrypts then: what is not authentic is never decrypted.
    // integrity_mismatch: not sealed with this key, IV and additional data; `plaintext` is zeros.
    // input_invalid: too long, or lengths that differ. Nothing is written then.
    Result<void> open(Iv iv, Bytes aad, Bytes ciphertext, Tag tag, MutableBytes plaintext) const;

private:
    void make_tag(Iv iv, Bytes aad, Bytes ciphertext, std::span<std::uint8_t, tag_size> tag) const;

    Cipher<Set, Engine> cipher_;
    Ghash<Engine> ghash_;
};

// `Backend`: Portable, AesNi or Vaes (the caller knows that the processor has it).
template <class Set, class Backend = Portable>
using Key = BasicKey<Set, EngineOf<Backend>>;

}  // namespace quoin::core::aes_gcm
