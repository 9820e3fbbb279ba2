// Who has a session on the broker, by what the plugin reports. Threads: any.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "host/feed/feed.hpp"

namespace quoin::server {

class SessionTable {
public:
    void take(const feed::FromPlugin& report);
    // A new connection of the plugin, or none: nothing is known until it tells.
    void clear();
    bool contains(std::string_view client) const;
    std::int64_t size() const;

private:
    mutable std::mutex mutex_;
    // Two of one client while one takes over the other's session.
    std::map<std::string, int, std::less<>> sessions_;
};

}  // namespace quoin::server
