// Any bytes as a request target and as a base URL: refused or decoded, and what was decoded encodes
// back.
#include <cstdlib>

#include "core/base/bytes.hpp"
#include "host/net/target.hpp"
#include "host/percent.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = quoin::text_of({data, size});
    if (const auto target = quoin::net::parse_target(text)) {
        std::string again = "/?";
        for (const auto& [name, value] : target->query) {
            again += quoin::percent_encode(name) + "=" + quoin::percent_encode(value) + "&";
        }
        const auto second = quoin::net::parse_target(again);
        const bool oversize = !second && second.error().code == quoin::Code::peer_oversize;
        if (!oversize && (!second || second->query != target->query)) std::abort();
    }
    (void)quoin::net::parse_base_url(text);
    return 0;
}
