// Release manifests: whatever is accepted is within the limits.
#include <cstdlib>

#include "core/evidence/evidence.hpp"
#include "server/verifier/manifest.hpp"

using namespace quoin;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto manifest = verifier::parse_manifest(text_of({data, size}));
    if (!manifest) return 0;
    if (manifest->measurements.empty()) std::abort();
    for (const auto& one : manifest->measurements) {
        if (one.sha3_512.size() != 2 * evidence::digest_size || one.name.empty()) std::abort();
    }
    return 0;
}
