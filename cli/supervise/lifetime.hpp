// Which process supervises a plant: HOME/run/up.json, {"pid","start_ticks","boot_id"}.
//
// A pid alone may belong to somebody else tomorrow; with its start time and the boot it names one
// process.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>

#include "host/error.hpp"

namespace quoin::cli {

struct Lifetime {
    pid_t pid = -1;
    std::uint64_t start_ticks = 0;
    std::string boot_id = {};

    static Result<Lifetime> of(pid_t pid);
    // nullopt: no record. A record that cannot be read is an error.
    static Result<std::optional<Lifetime>> load(const std::filesystem::path& file);
    Result<void> save(const std::filesystem::path& file) const;

    bool is_alive() const;
    // SIGTERM to exactly this process, and waits for its end. False: it was gone already.
    Result<bool> end(int timeout_ms) const;
};

}  // namespace quoin::cli
