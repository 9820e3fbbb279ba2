#include "host/crypto/approved.hpp"

#include <algorithm>
#include <array>

#include "host/approved_mode.hpp"

namespace quoin::crypto {
namespace {

constexpr std::array<std::string_view, 8> approved{
    "ML-DSA-44", "ML-DSA-65", "ML-DSA-87", "ML-KEM-768", "ML-KEM-1024",
    // Both halves count, and ML-DSA's is approved.
    "ML-DSA-44+Ed25519", "ML-DSA-65+Ed25519",
    // TPMs and tokens sign with it; TLS does not (suite classical is refused).
    "ECDSA-P256"};

}  // namespace

bool is_approved(std::string_view algorithm) {
    return algorithm.starts_with("SLH-DSA-") || algorithm == "AES-256-GCM" ||
           std::ranges::contains(approved, algorithm);
}

Result<void> check_approved(std::string_view algorithm) {
    if (!approved_mode() || is_approved(algorithm)) return {};
    return fail(Code::config_invalid, "{} is not allowed in approved mode{}", algorithm,
                algorithm == "Ed25519" || algorithm == "X25519"
                    ? ": it counts as the extra half of a composite or hybrid only"
                    : "");
}

}  // namespace quoin::crypto
