#include "cli/sse.hpp"

#include <utility>

namespace quoin::cli {
namespace {

constexpr std::string_view field = "data:";

bool give(std::string_view line, const SseReader::OnData& on_data) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.starts_with(field)) return true;
    line.remove_prefix(field.size());
    if (line.starts_with(' ')) line.remove_prefix(1);
    return on_data(line);
}

std::unexpected<Error> too_long() {
    return fail(Code::peer_oversize, "the stream has a line of more than {} bytes",
                max_sse_line_bytes);
}

}  // namespace

Result<bool> SseReader::feed(std::string_view piece, const OnData& on_data) {
    for (std::size_t end = piece.find('\n'); end != std::string_view::npos;
         end = piece.find('\n')) {
        pending_ += piece.substr(0, end);
        piece.remove_prefix(end + 1);
        if (pending_.size() > max_sse_line_bytes) return too_long();
        const std::string line = std::exchange(pending_, {});
        if (!give(line, on_data)) return false;
    }
    pending_ += piece;
    if (pending_.size() > max_sse_line_bytes) return too_long();
    return true;
}

}  // namespace quoin::cli
