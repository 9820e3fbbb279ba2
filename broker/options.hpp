// The plugin's options in mosquitto.conf: plugin_opt_site, plugin_opt_feed_socket,
// plugin_opt_trust (whose statements of revocation count: PEM).
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "host/error.hpp"

namespace quoin::broker {

struct Options {
    std::string site;
    std::filesystem::path feed_socket;
    std::filesystem::path trust;
};

// Keys without the prefix plugin_opt_. Unknown, twice, missing or unusable: an error that names it.
Result<Options> parse_options(std::span<const std::pair<std::string_view, std::string_view>> given);

}  // namespace quoin::broker
