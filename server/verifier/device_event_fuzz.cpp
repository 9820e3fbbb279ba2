// A topic in the first line, the payload of an event in the rest.
#include <cstdlib>

#include "core/base/bytes.hpp"
#include "host/x509/identity.hpp"
#include "server/verifier/device_event.hpp"

using namespace quoin;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input = text_of({data, size});
    const auto line = input.find('\n');
    const auto device = verifier::device_of_topic(input.substr(0, line), "p", "event");
    if (device && !x509::is_valid_id(*device)) std::abort();
    if (line == std::string_view::npos) return 0;
    const auto name = verifier::event_name(input.substr(line + 1));
    if (name && (name->empty() || name->size() > 64)) std::abort();
    return 0;
}
