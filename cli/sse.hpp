// Server-sent events: the data of each, from pieces of a stream that break anywhere.
//
// Takes one `data:` line an event, as Quoin's server writes them; other fields and comments are
// skipped. Source: WHATWG HTML, 9.2. Threads: one owner.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "host/error.hpp"

namespace quoin::cli {

inline constexpr std::size_t max_sse_line_bytes = 1U << 20U;

class SseReader {
public:
    using OnData = std::function<bool(std::string_view)>;

    // Calls `on_data` for every whole line; false when it said so. A line that is too long is
    // peer_oversize.
    Result<bool> feed(std::string_view piece, const OnData& on_data);

private:
    std::string pending_;  // a line without its end yet
};

}  // namespace quoin::cli
