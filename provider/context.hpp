// What one loading of the provider has: the core's handle, a library context of its own, and the
// builds of core/crypto that this processor runs. Made by OSSL_provider_init, and given back by
// OpenSSL as the first argument of each constructor. Constant once made but for what self-tests
// found: threads share it.
#pragma once

#include <openssl/core.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <atomic>
#include <memory>

#include "core/base/bytes.hpp"
#include "core/crypto/backend.hpp"
#include "provider/algorithms.hpp"

namespace quoin::provider {

struct FreeLibraryContext {
    void operator()(OSSL_LIB_CTX* context) const { OSSL_LIB_CTX_free(context); }
};
using LibraryContext = std::unique_ptr<OSSL_LIB_CTX, FreeLibraryContext>;

enum class Backend { portable, avx2, avx512 };

struct ProviderContext {
    const OSSL_CORE_HANDLE* core = nullptr;
    // A child of the caller's: it has the caller's providers, for randomness and what else we ask
    // of others.
    LibraryContext library;
    Backend backend = Backend::portable;
    CodePoints code_points = {};
    // self_test.hpp
    mutable std::atomic<bool> stopped = false;
    mutable std::atomic<bool> hybrid_tested = false;
};

inline const ProviderContext& context_of(void* provider_context) {
    return *static_cast<const ProviderContext*>(provider_context);
}

// From the DRBG for private values. False: OpenSSL has queued why.
inline bool draw_private(const ProviderContext& context, MutableBytes bytes,
                         unsigned strength_bits) {
    return RAND_priv_bytes_ex(context.library.get(), bytes.data(), bytes.size(), strength_bits) ==
           1;
}

// Returns work.operator()<B>() with the build B of core/crypto that was picked at load.
template <class Work>
auto with_backend(const ProviderContext& context, Work work) {
    if constexpr (core::avx2_is_built) {
        if (context.backend == Backend::avx512) return work.template operator()<core::Avx512>();
        if (context.backend == Backend::avx2) return work.template operator()<core::Avx2>();
    }
    return work.template operator()<core::Portable>();
}

}  // namespace quoin::provider
