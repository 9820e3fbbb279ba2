#include "host/crypto/algorithm.hpp"

#include <array>
#include <string>

namespace quoin::crypto {
namespace {

constexpr std::array table{
    AlgorithmInfo{Algorithm::ed25519, "Ed25519", "ED25519", "1.3.101.112", 32, 64, false},
    // The public key as an uncompressed point; a DER signature of two 256-bit integers.
    AlgorithmInfo{Algorithm::ecdsa_p256, "ECDSA-P256", "EC", "1.2.840.10045.2.1", 65, 72, false},
    AlgorithmInfo{Algorithm::ml_dsa_44, "ML-DSA-44", "ML-DSA-44", "2.16.840.1.101.3.4.3.17", 1312,
                  2420, true},
    AlgorithmInfo{Algorithm::ml_dsa_65, "ML-DSA-65", "ML-DSA-65", "2.16.840.1.101.3.4.3.18", 1952,
                  3309, true},
    AlgorithmInfo{Algorithm::ml_dsa_87, "ML-DSA-87", "ML-DSA-87", "2.16.840.1.101.3.4.3.19", 2592,
                  4627, true},
    AlgorithmInfo{Algorithm::slh_dsa_sha2_128s, "SLH-DSA-SHA2-128s", "SLH-DSA-SHA2-128s",
                  "2.16.840.1.101.3.4.3.20", 32, 7856, true},
    AlgorithmInfo{Algorithm::slh_dsa_shake_128f, "SLH-DSA-SHAKE-128f", "SLH-DSA-SHAKE-128f",
                  "2.16.840.1.101.3.4.3.27", 32, 17088, true},
    // By our provider.
    AlgorithmInfo{Algorithm::ml_dsa_44_ed25519, "ML-DSA-44+Ed25519", "id-MLDSA44-Ed25519-SHA512",
                  "1.3.6.1.5.5.7.6.39", 1344, 2484, true},
    AlgorithmInfo{Algorithm::ml_dsa_65_ed25519, "ML-DSA-65+Ed25519", "id-MLDSA65-Ed25519-SHA512",
                  "1.3.6.1.5.5.7.6.48", 1984, 3373, true},
};

}  // namespace

std::span<const AlgorithmInfo> algorithms() { return table; }

const AlgorithmInfo& info(Algorithm algorithm) {
    return table[static_cast<std::size_t>(algorithm)];
}

Result<Algorithm> algorithm_by_name(std::string_view name) {
    std::string known;
    for (const AlgorithmInfo& row : table) {
        if (row.name == name) return row.algorithm;
        known += known.empty() ? "" : ", ";
        known += row.name;
    }
    return fail(Code::input_invalid, "algorithm \"{}\" is not known; use one of {}", name, known);
}

}  // namespace quoin::crypto
