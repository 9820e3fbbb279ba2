// The fastest build of an algorithm of core/crypto on this processor: each function calls
// work.operator()<Backend>() with it, and returns what that returns.
#pragma once

#include "core/crypto/backend.hpp"
#include "host/crypto/processor.hpp"

namespace quoin::crypto {

// SHAKE: many Keccaks at a time.
template <class Work>
auto with_best_vectors(Work work) {
    if constexpr (core::avx2_is_built) {
        if (processor().avx2) return work.template operator()<core::Avx2>();
    }
    return work.template operator()<core::Portable>();
}

// The lattices, which have one build more.
template <class Work>
auto with_widest_vectors(Work work) {
    if constexpr (core::avx2_is_built) {
        if (processor().avx512) return work.template operator()<core::Avx512>();
    }
    return with_best_vectors(work);
}

// Chains and trees of SHA-256.
template <class Work>
auto with_best_sha256(Work work) {
    if constexpr (core::avx2_is_built) {
        if (processor().sha_ni) return work.template operator()<core::ShaNi>();
    }
    return with_best_vectors(work);
}

}  // namespace quoin::crypto
