// Any line: refused with a sentence, or a message that encodes to a line which decodes to the same.
#include <cstdlib>

#include "host/feed/feed.hpp"

namespace {

template <class Decode>
void check(std::string_view line, Decode decode) {
    const auto first = decode(line);
    if (!first) {
        if (first.error().message.empty()) std::abort();
        return;
    }
    std::string again = quoin::feed::encode(*first);
    if (again.empty() || again.back() != '\n') std::abort();
    again.pop_back();
    const auto second = decode(again);
    // Escapes may make a line longer than it came; only then may it be refused.
    if (!second) {
        if (again.size() <= quoin::feed::max_line_bytes) std::abort();
        return;
    }
    if (quoin::feed::encode(*second) != again + "\n") std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view line(reinterpret_cast<const char*>(data), size);
    check(line, [](std::string_view text) { return quoin::feed::decode_to_plugin(text); });
    check(line, [](std::string_view text) { return quoin::feed::decode_from_plugin(text); });
    return 0;
}
