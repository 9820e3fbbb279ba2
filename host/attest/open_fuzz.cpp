// Opening must never crash, and what opens must name what it says within the limits.
#include <cstdlib>

#include "host/attest/attest.hpp"

using namespace quoin;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto opened = attest::open_evidence({data, size});
    if (!opened) return 0;
    if (opened->claims().measurements.empty() || opened->claims().device.empty()) std::abort();
    return 0;
}
