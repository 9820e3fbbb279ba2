#include "host/keys/se/algorithm.hpp"

#include <algorithm>
#include <array>

namespace quoin::keys::se {
namespace {

using enum Algorithm;
using enum Kind;

// FIPS 203, 204, 205; RFC 8410, 9881, 9909, 9935; draft-ietf-lamps-pq-composite-sigs-19.
constexpr std::array table{
    AlgorithmInfo{ed25519, "Ed25519", signature, "1.3.101.112", 32, 32, 64},
    AlgorithmInfo{x25519, "X25519", agreement, "1.3.101.110", 32, 32, 0},
    AlgorithmInfo{ml_kem_512, "ML-KEM-512", kem, "2.16.840.1.101.3.4.4.1", 800, 64, 768},
    AlgorithmInfo{ml_kem_768, "ML-KEM-768", kem, "2.16.840.1.101.3.4.4.2", 1184, 64, 1088},
    AlgorithmInfo{ml_kem_1024, "ML-KEM-1024", kem, "2.16.840.1.101.3.4.4.3", 1568, 64, 1568},
    AlgorithmInfo{ml_dsa_44, "ML-DSA-44", signature, "2.16.840.1.101.3.4.3.17", 1312, 32, 2420},
    AlgorithmInfo{ml_dsa_65, "ML-DSA-65", signature, "2.16.840.1.101.3.4.3.18", 1952, 32, 3309},
    AlgorithmInfo{ml_dsa_87, "ML-DSA-87", signature, "2.16.840.1.101.3.4.3.19", 2592, 32, 4627},
    AlgorithmInfo{slh_dsa_sha2_128s, "SLH-DSA-SHA2-128s", signature, "2.16.840.1.101.3.4.3.20", 32,
                  64, 7856},
    AlgorithmInfo{slh_dsa_sha2_128f, "SLH-DSA-SHA2-128f", signature, "2.16.840.1.101.3.4.3.21", 32,
                  64, 17088},
    AlgorithmInfo{slh_dsa_sha2_192s, "SLH-DSA-SHA2-192s", signature, "2.16.840.1.101.3.4.3.22", 48,
                  96, 16224},
    AlgorithmInfo{slh_dsa_sha2_192f, "SLH-DSA-SHA2-192f", signature, "2.16.840.1.101.3.4.3.23", 48,
                  96, 35664},
    AlgorithmInfo{slh_dsa_sha2_256s, "SLH-DSA-SHA2-256s", signature, "2.16.840.1.101.3.4.3.24", 64,
                  128, 29792},
    AlgorithmInfo{slh_dsa_sha2_256f, "SLH-DSA-SHA2-256f", signature, "2.16.840.1.101.3.4.3.25", 64,
                  128, 49856},
    AlgorithmInfo{slh_dsa_shake_128s, "SLH-DSA-SHAKE-128s", signature, "2.16.840.1.101.3.4.3.26",
                  32, 64, 7856},
    AlgorithmInfo{slh_dsa_shake_128f, "SLH-DSA-SHAKE-128f", signature, "2.16.840.1.101.3.4.3.27",
                  32, 64, 17088},
    AlgorithmInfo{slh_dsa_shake_192s, "SLH-DSA-SHAKE-192s", signature, "2.16.840.1.101.3.4.3.28",
                  48, 96, 16224},
    AlgorithmInfo{slh_dsa_shake_192f, "SLH-DSA-SHAKE-192f", signature, "2.16.840.1.101.3.4.3.29",
                  48, 96, 35664},
    AlgorithmInfo{slh_dsa_shake_256s, "SLH-DSA-SHAKE-256s", signature, "2.16.840.1.101.3.4.3.30",
                  64, 128, 29792},
    AlgorithmInfo{slh_dsa_shake_256f, "SLH-DSA-SHAKE-256f", signature, "2.16.840.1.101.3.4.3.31",
                  64, 128, 49856},
    AlgorithmInfo{ml_dsa_44_ed25519, "ML-DSA-44+Ed25519", signature, "1.3.6.1.5.5.7.6.39", 1344, 64,
                  2484},
    AlgorithmInfo{ml_dsa_65_ed25519, "ML-DSA-65+Ed25519", signature, "1.3.6.1.5.5.7.6.48", 1984, 64,
                  3373},
    AlgorithmInfo{aes_256_gcm, "AES-256-GCM", cipher, "", 0, 32, 0},
};

}  // namespace

std::span<const AlgorithmInfo> algorithms() { return table; }

bool is_known(Algorithm algorithm) {
    return std::ranges::contains(table, algorithm, &AlgorithmInfo::algorithm);
}

const AlgorithmInfo& info(Algorithm algorithm) {
    return *std::ranges::find(table, algorithm, &AlgorithmInfo::algorithm);
}

Result<Algorithm> algorithm_by_name(std::string_view name) {
    const auto found = std::ranges::find(table, name, &AlgorithmInfo::name);
    if (found != table.end()) return found->algorithm;
    return fail(Code::input_unsupported, "quoin-se has no algorithm \"{}\"; see quoin-se --help",
                name);
}

}  // namespace quoin::keys::se
