// Telemetry topics: whatever is accepted must be made of its parts again.
#include <cstdlib>
#include <string>

#include "server/telemetry/sample.hpp"

using namespace quoin;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view topic = text_of({data, size});
    const auto parts = telemetry::parse_topic(topic, "plant-1");
    if (!parts) return 0;
    const std::string again =
        "quoin/plant-1/" + std::string(parts->device) + "/telemetry/" + std::string(parts->stream);
    if (again != topic) std::abort();
    return 0;
}
