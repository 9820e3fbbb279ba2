#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "cli/sse.hpp"

namespace {

std::vector<std::string> read_all(std::string_view text, std::size_t piece_bytes) {
    quoin::cli::SseReader reader;
    std::vector<std::string> events;
    while (!text.empty()) {
        const std::string_view piece = text.substr(0, piece_bytes);
        text.remove_prefix(piece.size());
        const auto fed = reader.feed(piece, [&](std::string_view data) {
            events.emplace_back(data);
            return true;
        });
        if (!fed) break;
    }
    return events;
}

}  // namespace

// Where the pieces break must not matter.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) noexcept {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (read_all(text, text.size() + 1) != read_all(text, 3)) std::abort();
    return 0;
}
