// Any text: an identity that is written as it was read, or an error.
#include <cstdlib>

#include "core/base/bytes.hpp"
#include "host/x509/identity.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view uri = quoin::text_of({data, size});
    const auto identity = quoin::x509::parse_identity(uri);
    if (identity && quoin::x509::to_uri(*identity) != uri) std::abort();
    return 0;
}
