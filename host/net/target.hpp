// The request targets and base URLs that we take apart ourselves.
//
// Source: RFC 3986 (percent-encoding, origin form of RFC 9112, section 3.2.1). Strict: what is not
// plainly right is refused. Threads: pure functions.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "host/error.hpp"

namespace quoin::net {

inline constexpr std::size_t max_target_bytes = 4096;
inline constexpr std::size_t max_query_parameters = 32;

struct Target {
    std::string path;                          // decoded; begins with "/"
    std::map<std::string, std::string> query;  // decoded
};

// "/a/b?x=1&y=%20". Longer than `max_target_bytes` is peer_oversize; an absolute form, a wrong
// escape, a control byte, an empty or repeated name is peer_malformed, naming the place. The
// reverse for one value: host/percent.hpp.
Result<Target> parse_target(std::string_view target);

enum class Scheme : std::uint8_t { http, https, unix_socket };
struct BaseUrl {
    Scheme scheme = Scheme::https;
    std::string host;  // without brackets; the path of a Unix socket
    std::uint16_t port = 0;
};

// "https://host:port", "http://host:port" (IPv6 in brackets) or "unix:/path"; nothing after the
// port.
Result<BaseUrl> parse_base_url(std::string_view url);

}  // namespace quoin::net
