// What quoin-se makes and uses: the one table of names, numbers on the wire, and sizes.
//
// Names are those of host/crypto/algorithm.hpp and host/keys/security_provider.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "host/error.hpp"

namespace quoin::keys::se {

enum class Algorithm : std::uint8_t {
    ed25519 = 0x01,
    x25519 = 0x02,
    ml_kem_512 = 0x10,
    ml_kem_768,
    ml_kem_1024,
    ml_dsa_44 = 0x20,
    ml_dsa_65,
    ml_dsa_87,
    slh_dsa_sha2_128s = 0x30,
    slh_dsa_sha2_128f,
    slh_dsa_sha2_192s,
    slh_dsa_sha2_192f,
    slh_dsa_sha2_256s,
    slh_dsa_sha2_256f,
    slh_dsa_shake_128s,
    slh_dsa_shake_128f,
    slh_dsa_shake_192s,
    slh_dsa_shake_192f,
    slh_dsa_shake_256s,
    slh_dsa_shake_256f,
    ml_dsa_44_ed25519 = 0x40,
    ml_dsa_65_ed25519,
    aes_256_gcm = 0x50,
};

enum class Kind : std::uint8_t { signature, kem, agreement, cipher };

struct AlgorithmInfo {
    Algorithm algorithm;
    std::string_view name;
    Kind kind;
    std::string_view oid;          // dotted; empty: has no public key
    std::size_t public_key_size;   // bytes, as in the SubjectPublicKeyInfo
    std::size_t private_key_size;  // bytes, as quoin-se keeps it: a seed where there is one
    std::size_t output_size;       // signature or ciphertext, bytes; 0: none
};

inline constexpr std::size_t max_public_key_size = 2592;  // ML-DSA-87
inline constexpr std::size_t max_private_key_size = 128;  // SLH-DSA-*-256
inline constexpr std::size_t max_signature_size = 49856;  // SLH-DSA-*-256f
inline constexpr std::size_t max_ciphertext_size = 1568;  // ML-KEM-1024

std::span<const AlgorithmInfo> algorithms();
const AlgorithmInfo& info(Algorithm algorithm);
bool is_known(Algorithm algorithm);
// input_unsupported if quoin-se has none of that name.
Result<Algorithm> algorithm_by_name(std::string_view name);

}  // namespace quoin::keys::se
