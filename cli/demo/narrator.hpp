// The demo's voice: one line for each thing that happens, with the time since the start.
//
// Threads: any; lines are never mixed.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "cli/demo/watch.hpp"

namespace quoin::cli {

class Narrator {
public:
    // `quiet`: says nothing (--json).
    Narrator(std::int64_t start_ms, bool quiet) : start_ms_(start_ms), quiet_(quiet) {}

    void act(const std::string& title);
    void say(const std::string& who, const std::string& what) { line(now_ms(), who, what); }
    // An audit event, when it is worth a line and not the same as the device's last one.
    void show(const Seen& seen);

private:
    void line(std::int64_t at_ms, const std::string& who, const std::string& what);

    const std::int64_t start_ms_;
    const bool quiet_;
    std::mutex mutex_;
    std::map<std::string, std::string> last_;  // by subject and component
};

}  // namespace quoin::cli
