// Self-tests of what this provider computes itself, on the build that was picked: FIPS 140-3,
// 7.10. Known answers when it is loaded; of X25519MLKEM768, whose other half is another
// provider's, before its first key; the pair of each key that is made. One that fails stops this
// loading for good: nothing is served, and what was begun refuses. False: OpenSSL's queue names
// the test.
#pragma once

#include "provider/context.hpp"
#include "provider/dispatch.hpp"
#include "provider/signature_key.hpp"

namespace quoin::provider {

bool test_known_answers(const ProviderContext& context);
bool test_hybrid(const ProviderContext& context);

// Remembers that `test` failed.
bool stop(const ProviderContext& context, const char* test);

// Whether anything is served at all.
inline bool is_running(const ProviderContext& context) {
    return !context.stopped.load(std::memory_order_relaxed) ||
           refuse(PROV_R_SELF_TEST_POST_FAILURE, "a self-test failed: the provider has stopped");
}

// Of a key that was just made: `consistent`, or the provider stops.
bool judge_pair(const ProviderContext& context, const char* algorithm, bool consistent);

}  // namespace quoin::provider
