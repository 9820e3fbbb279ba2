// JSON and CBOR samples: whatever is accepted has values that are JSON again, within the limits.
#include <nlohmann/json.hpp>

#include <cstdlib>

#include "server/telemetry/sample.hpp"

using namespace quoin;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static telemetry::SampleParser parser;
    const auto sample = parser.parse({data, size}, 1'800'000'000'000);
    if (!sample) {
        if (sample.error().message.empty()) std::abort();
        return 0;
    }
    const auto values = nlohmann::json::parse((*sample)->values_json, nullptr, false);
    if (!values.is_object() || values.empty() || values.size() > telemetry::max_values)
        std::abort();
    if ((*sample)->low < 1 || (*sample)->low > (*sample)->seq) std::abort();
    if ((*sample)->values_json.find('\0') != std::string::npos) std::abort();
    return 0;
}
