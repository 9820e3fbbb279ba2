// Any bytes as the body of an enrolment: refused, or a request whose owner has its key.
#include <cstdlib>

#include "core/base/bytes.hpp"
#include "server/pki/est.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto pure = quoin::server::find_profile("pure");
    if (!pure) std::abort();
    const auto request = quoin::server::parse_enrolment(quoin::text_of({data, size}));
    if (!request) return 0;
    const auto algorithm = request->public_key().algorithm();
    if (!algorithm) return 0;
    for (const auto* device_class : {"mcu", "mpu", "plc"}) {
        const auto profile = quoin::server::profile_of(*algorithm, device_class, *pure);
        if (profile && std::string_view(device_class) == "plc") std::abort();
    }
    return 0;
}
