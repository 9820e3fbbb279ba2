// Bytes from a wire into both sides of the bus framing, in pieces; the first byte says how large.
#include <cstdlib>

#include "host/keys/se/bus.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace quoin::keys::se;
    if (size == 0) return 0;
    const std::size_t piece = data[0] + std::size_t{1};
    for (const BusSide side : {BusSide::host, BusSide::secure_element}) {
        BusFraming framing(side);
        if (side == BusSide::host && !framing.send(ByteVector(600, 1))) std::abort();
        quoin::Bytes rest(data + 1, size - 1);
        while (!rest.empty()) {
            const auto used = framing.feed(rest.first(std::min(piece, rest.size())));
            if (!used) break;
            if (framing.has_message()) {
                if (framing.message().empty()) std::abort();
                framing.next_message();
                static_cast<void>(framing.send(ByteVector(300, 2)));
            } else if (*used == 0) {
                std::abort();
            }
            framing.sent(framing.output().size());
            rest = rest.subspan(*used);
        }
        if (framing.output().size() > (64U << 10U)) std::abort();
    }
    return 0;
}
