// Any bytes as a batch list: refused, or every line is one that could go into the inventory.
#include <cstdlib>

#include "core/base/bytes.hpp"
#include "host/x509/identity.hpp"
#include "server/fleet/inventory.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto lines = quoin::server::parse_batch(quoin::text_of({data, size}));
    if (!lines) return 0;
    if (lines->empty()) std::abort();
    for (const auto& line : *lines) {
        if (!quoin::x509::is_valid_id(line.silicon_id) || line.birth_cert_sha256.size() != 64) {
            std::abort();
        }
    }
    return 0;
}
