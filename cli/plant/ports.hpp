// The ports of a plant. quoind writes HOME/run/ports.json, {"mqtt","https","http"}, when it
// listens.
#pragma once

#include <cstdint>
#include <filesystem>

#include "host/error.hpp"

namespace quoin::cli {

struct Ports {
    std::uint16_t mqtt = 8883;
    std::uint16_t mqtt_next = 8884;  // while the plant migrates; not in the record
    std::uint16_t https = 8443;
    std::uint16_t http = 8080;

    // Ports of 127.0.0.1 that nobody uses now.
    static Result<Ports> find_free();
    static Result<Ports> load(const std::filesystem::path& home);
    // Whether each could be listened on now; an error names the first that could not.
    Result<void> check_free() const;
};

}  // namespace quoin::cli
