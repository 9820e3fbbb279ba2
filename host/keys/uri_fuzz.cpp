// Parsing a store's URI must never crash; what it takes, it takes again from its own text.
#include <cstdlib>

#include "host/keys/uri.hpp"

using namespace quoin;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto uri = keys::Uri::parse(text_of({data, size}));
    if (!uri) return 0;
    const auto again = keys::Uri::parse(uri->text());
    if (!again || again->place() != uri->place() || uri->scheme().empty()) std::abort();
    return 0;
}
