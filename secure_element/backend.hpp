// This processor's fastest build of what core/crypto has.
#pragma once

#include "core/crypto/backend.hpp"
#include "host/crypto/processor.hpp"

namespace quoin::secure_element {

// Calls work.operator()<Backend>().
template <class Work>
auto with_widest_vectors(Work work) {
    if constexpr (core::avx2_is_built) {
        if (crypto::processor().avx512) return work.template operator()<core::Avx512>();
        if (crypto::processor().avx2) return work.template operator()<core::Avx2>();
    }
    return work.template operator()<core::Portable>();
}

// Hash-based signatures have no Avx512 build.
template <class Work>
auto with_vectors(Work work) {
    if constexpr (core::avx2_is_built) {
        if (crypto::processor().avx2) return work.template operator()<core::Avx2>();
    }
    return work.template operator()<core::Portable>();
}

template <class Work>
auto with_best_aes(Work work) {
    if constexpr (core::avx2_is_built) {
        if (crypto::processor().vaes) return work.template operator()<core::Vaes>();
        if (crypto::processor().aes_ni) return work.template operator()<core::AesNi>();
    }
    return work.template operator()<core::Portable>();
}

}  // namespace quoin::secure_element
