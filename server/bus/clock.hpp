// The wall clock of quoind's roles: UTC milliseconds, as every table and every payload has it.
#pragma once

#include <chrono>
#include <cstdint>

namespace quoin::server {

inline std::int64_t now_ms() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

}  // namespace quoin::server
