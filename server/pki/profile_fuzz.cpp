// Any text as a profile: refused, or one whose keys its suite's TLS can use.
#include <cstdlib>

#include "core/base/bytes.hpp"
#include "server/pki/profile.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto profile = quoin::server::parse_profile(quoin::text_of({data, size}), "fuzz");
    if (!profile) return 0;
    for (const auto algorithm : {profile->algorithms.service, profile->algorithms.mcu}) {
        const bool slow = algorithm == quoin::crypto::Algorithm::slh_dsa_sha2_128s ||
                          algorithm == quoin::crypto::Algorithm::slh_dsa_shake_128f;
        if (slow) std::abort();
    }
    if (profile->lifetime.service > profile->lifetime.root) std::abort();
    if (!quoin::server::parse_profile(profile->text, "again")) std::abort();
    return 0;
}
