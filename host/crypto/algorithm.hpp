// The table of signature algorithms of our programs: name, OID, sizes. Code points in TLS are the
// provider's (provider/algorithms.hpp) and libssl's.
//
// Source: FIPS 203/204/205, RFC 9881, RFC 9909, RFC 8032, draft-ietf-lamps-pq-composite-sigs-19;
// ../shared/standards.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "host/error.hpp"

namespace quoin::crypto {

enum class Algorithm : std::uint8_t {
    ed25519,
    ecdsa_p256,
    ml_dsa_44,
    ml_dsa_65,
    ml_dsa_87,
    slh_dsa_sha2_128s,
    slh_dsa_shake_128f,
    ml_dsa_44_ed25519,  // composites: both halves sign, both must verify
    ml_dsa_65_ed25519,
};

struct AlgorithmInfo {
    Algorithm algorithm;
    std::string_view name;        // ours, in configuration and output: "ML-DSA-65"
    const char* openssl_name;     // for EVP_PKEY_CTX_new_from_name
    std::string_view oid;         // dotted
    std::size_t public_key_size;  // bytes
    std::size_t signature_size;   // bytes; the maximum where it varies
    bool post_quantum;
};

std::span<const AlgorithmInfo> algorithms();
const AlgorithmInfo& info(Algorithm algorithm);
Result<Algorithm> algorithm_by_name(std::string_view name);

}  // namespace quoin::crypto
