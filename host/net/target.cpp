#include "host/net/target.hpp"

#include <charconv>

namespace quoin::net {
namespace {

int hex_value(char digit) {
    if (digit >= '0' && digit <= '9') return digit - '0';
    if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
    return -1;
}

bool is_control(unsigned char byte) { return byte < 0x20 || byte == 0x7f; }

Result<std::string> percent_decode(std::string_view text, std::string_view what) {
    std::string decoded;
    decoded.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        auto byte = static_cast<unsigned char>(text[i]);
        if (byte == '%') {
            const bool whole = text.size() - i > 2;
            const int high = whole ? hex_value(text[i + 1]) : -1;
            const int low = whole ? hex_value(text[i + 2]) : -1;
            if (high < 0 || low < 0) {
                return fail(Code::peer_malformed,
                            "{}: the escape at byte {} is not %HH with two hex digits", what, i);
            }
            byte = static_cast<unsigned char>(high * 16 + low);
            i += 2;
        } else if (byte > 0x7e || byte == ' ') {
            return fail(Code::peer_malformed, "{}: byte {} must be written as an escape (%HH)",
                        what, i);
        }
        if (is_control(byte)) {
            return fail(Code::peer_malformed, "{}: byte {} is a control character", what, i);
        }
        decoded.push_back(static_cast<char>(byte));
    }
    return decoded;
}

Result<void> add_parameter(std::string_view pair, std::map<std::string, std::string>& query) {
    const std::size_t equals = pair.find('=');
    const std::string_view value =
        equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1);
    QUOIN_TRY(std::string name,
              percent_decode(pair.substr(0, equals), "the name of a query parameter"));
    if (name.empty()) return fail(Code::peer_malformed, "the query has a parameter without a name");
    QUOIN_TRY(std::string decoded, percent_decode(value, "the value of a query parameter"));
    if (query.size() >= max_query_parameters) {
        return fail(Code::peer_oversize, "the query has more than {} parameters",
                    max_query_parameters);
    }
    if (!query.try_emplace(name, std::move(decoded)).second) {
        return fail(Code::peer_malformed, "the query gives \"{}\" twice; give it once", name);
    }
    return {};
}

Result<std::uint16_t> parse_port(std::string_view text, std::string_view url) {
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc{} || end != text.data() + text.size() || port == 0) {
        return fail(Code::input_invalid, "the port of {} must be 1 to 65535", url);
    }
    return port;
}

Result<BaseUrl> parse_authority(std::string_view authority, Scheme scheme, std::string_view url) {
    BaseUrl parsed{.scheme = scheme, .host = {}, .port = 0};
    std::size_t colon = 0;
    if (authority.starts_with('[')) {
        const std::size_t bracket = authority.find(']');
        if (bracket == std::string_view::npos) {
            return fail(Code::input_invalid, "{}: the IPv6 address has no closing bracket", url);
        }
        parsed.host = authority.substr(1, bracket - 1);
        colon = bracket + 1;
    } else {
        colon = authority.find(':');
        parsed.host = authority.substr(0, colon);
    }
    if (parsed.host.empty() || colon >= authority.size() || authority[colon] != ':') {
        return fail(Code::input_invalid, "{} is not SCHEME://HOST:PORT", url);
    }
    if (parsed.host.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "0123456789.-_:") != std::string::npos) {
        return fail(Code::input_invalid, "the host of {} has characters no host name has", url);
    }
    QUOIN_TRY(parsed.port, parse_port(authority.substr(colon + 1), url));
    return parsed;
}

}  // namespace

Result<Target> parse_target(std::string_view target) {
    if (target.size() > max_target_bytes) {
        return fail(Code::peer_oversize, "the request target is longer than {} bytes",
                    max_target_bytes);
    }
    if (!target.starts_with('/')) {
        return fail(Code::peer_malformed, "the request target must begin with \"/\"");
    }
    const std::size_t mark = target.find('?');
    Target parsed;
    QUOIN_TRY(parsed.path, percent_decode(target.substr(0, mark), "the path"));
    if (mark == std::string_view::npos) return parsed;
    std::string_view rest = target.substr(mark + 1);
    while (!rest.empty()) {
        const std::size_t ampersand = rest.find('&');
        QUOIN_CHECK(add_parameter(rest.substr(0, ampersand), parsed.query));
        if (ampersand == std::string_view::npos) break;
        rest.remove_prefix(ampersand + 1);
    }
    return parsed;
}

Result<BaseUrl> parse_base_url(std::string_view url) {
    constexpr std::string_view unix_prefix = "unix:";
    constexpr std::string_view http_prefix = "http://";
    constexpr std::string_view https_prefix = "https://";
    if (url.starts_with(unix_prefix)) {
        BaseUrl parsed{.scheme = Scheme::unix_socket,
                       .host = std::string(url.substr(unix_prefix.size())),
                       .port = 0};
        // sun_path holds 108 bytes with its terminator.
        if (parsed.host.empty() || parsed.host.size() > 107) {
            return fail(
                Code::input_invalid,
                "the path of the socket {} must have 1 to 107 bytes; use a shorter home folder",
                url);
        }
        return parsed;
    }
    if (url.starts_with(http_prefix)) {
        return parse_authority(url.substr(http_prefix.size()), Scheme::http, url);
    }
    if (url.starts_with(https_prefix)) {
        return parse_authority(url.substr(https_prefix.size()), Scheme::https, url);
    }
    return fail(Code::input_invalid, "{} is not https://HOST:PORT, http://HOST:PORT or unix:/PATH",
                url);
}

}  // namespace quoin::net
