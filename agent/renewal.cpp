#include "agent/renewal.hpp"

#include <algorithm>

namespace quoin::agent {

std::chrono::milliseconds wait_for_renewal(const Life& life, double renew_at, std::int64_t now_ms,
                                           std::minstd_rand& random) {
    const auto length = static_cast<double>(std::max<std::int64_t>(0, life.to_ms - life.from_ms));
    std::uniform_real_distribution<double> jitter(0.0, renew_jitter);
    const double share = renew_at - jitter(random);
    const std::int64_t due = life.from_ms + static_cast<std::int64_t>(length * share);
    return std::chrono::milliseconds(std::max<std::int64_t>(0, due - now_ms));
}

}  // namespace quoin::agent
