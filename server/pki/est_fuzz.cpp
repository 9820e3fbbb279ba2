// Any bytes as the body of an enrolment: refused, or a request whose owner has its key, bound to
// its connection or not.
#include <cstdlib>
#include <vector>

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
    // Bound to this connection or not bound at all; and never to another one as well.
    const std::vector<std::uint8_t> exporter(32, 7);
    const std::vector<std::uint8_t> other(32, 8);
    const auto password = request->challenge_password();
    const bool says_nothing = password && !*password;
    const bool required = quoin::server::check_binding(*request, exporter, true).has_value();
    const bool optional = quoin::server::check_binding(*request, exporter, false).has_value();
    if (optional != (required || says_nothing)) std::abort();
    if (required && quoin::server::check_binding(*request, other, false)) std::abort();
    return 0;
}
