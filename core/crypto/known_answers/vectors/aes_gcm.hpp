// McGrew and Viega, "The Galois/Counter Mode of Operation", test cases 4 and 16.
#pragma once

#include "core/crypto/known_answers/operation.hpp"

namespace quoin::core::known_answers::aes_gcm_vectors {

inline constexpr auto key_16 =
    hex<32>("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
inline constexpr auto iv = hex<12>("cafebabefacedbaddecaf888");
inline constexpr auto aad = hex<20>("feedfacedeadbeeffeedfacedeadbeefabaddad2");
inline constexpr auto plaintext = hex<60>(
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b5"
    "25b16aedf5aa0de657ba637b39");
inline constexpr auto ciphertext_4 = hex<60>(
    "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa"
    "051ba30b396a0aac973d58e091");
inline constexpr auto tag_4 = hex<16>("5bc94fbc3221a5db94fae95ae7121a47");
inline constexpr auto ciphertext_16 = hex<60>(
    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b10568288"
    "38c5f61e6393ba7a0abcc9f662");
inline constexpr auto tag_16 = hex<16>("76fc6ece0f4e1768cddf8853bb2d551b");

}  // namespace quoin::core::known_answers::aes_gcm_vectors
