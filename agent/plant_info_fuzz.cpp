#include <cstdlib>

#include "agent/plant_info.hpp"
#include "core/base/bytes.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto info = quoin::agent::parse_plant_info(quoin::text_of({data, size}));
    if (info && (info->renew_at < 0.1 || info->broker_port == 0)) std::abort();
    return 0;
}
