#include <cstdlib>

#include "agent/sample.hpp"
#include "core/base/bytes.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto seq = quoin::agent::parse_ack(quoin::text_of({data, size}));
    if (seq && *seq > quoin::agent::max_sequence) std::abort();
    return 0;
}
