#include "broker/options.hpp"

#include "host/feed/line_socket.hpp"
#include "host/x509/identity.hpp"

namespace quoin::broker {
namespace {

Result<void> check(const Options& options) {
    if (options.site.empty()) return fail(Code::config_missing, "plugin_opt_site is missing");
    if (!x509::is_valid_id(options.site)) {
        return fail(Code::config_invalid,
                    "plugin_opt_site: \"{}\" is not a name (1 to 128 of A-Z a-z 0-9 _ . -)",
                    options.site);
    }
    const std::string& path = options.feed_socket.native();
    if (path.empty()) return fail(Code::config_missing, "plugin_opt_feed_socket is missing");
    if (!options.feed_socket.is_absolute() || path.size() > feed::max_socket_path_bytes()) {
        return fail(Code::config_invalid,
                    "plugin_opt_feed_socket: \"{}\" is not an absolute path of at most {} bytes",
                    path, feed::max_socket_path_bytes());
    }
    if (options.trust.empty()) return fail(Code::config_missing, "plugin_opt_trust is missing");
    if (!options.trust.is_absolute()) {
        return fail(Code::config_invalid, "plugin_opt_trust: \"{}\" is not an absolute path",
                    options.trust.native());
    }
    return {};
}

}  // namespace

Result<Options> parse_options(
    std::span<const std::pair<std::string_view, std::string_view>> given) {
    Options options;
    std::string socket;
    std::string trust;
    for (const auto& [key, value] : given) {
        std::string* target = nullptr;
        if (key == "site") target = &options.site;
        if (key == "feed_socket") target = &socket;
        if (key == "trust") target = &trust;
        if (target == nullptr) {
            return fail(Code::config_unknown_key,
                        "plugin_opt_{} is unknown; there are plugin_opt_site, "
                        "plugin_opt_feed_socket and plugin_opt_trust",
                        key);
        }
        if (!target->empty()) {
            return fail(Code::config_invalid, "plugin_opt_{} is there twice", key);
        }
        *target = value;
    }
    options.feed_socket = socket;
    options.trust = trust;
    QUOIN_CHECK(check(options));
    return options;
}

}  // namespace quoin::broker
