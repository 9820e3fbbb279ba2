// What the plugin has to tell quoind: a bounded queue, so that neither a dead quoind nor a noisy
// client can fill the broker's memory. The oldest report gives way, and is counted.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "host/feed/feed.hpp"

namespace quoin::broker {

class Reports {
public:
    static constexpr std::size_t max_queued = 2000;

    void add(const feed::FromPlugin& report);
    // The oldest line, with its newline.
    std::optional<std::string> take();
    std::size_t size() const { return lines_.size(); }
    // How many were given up since the last call.
    std::uint64_t take_lost();

private:
    std::deque<std::string> lines_;
    std::uint64_t lost_ = 0;
};

// At most `limit` in a second; the rest is counted.
class Limiter {
public:
    explicit Limiter(std::uint32_t limit) : limit_(limit) {}
    bool allow(std::int64_t boot_ms);
    // How many were suppressed in the seconds before the one of `boot_ms`; then forgets them.
    std::uint64_t take_suppressed(std::int64_t boot_ms);

private:
    std::uint32_t limit_;
    std::int64_t second_ = -1;
    std::uint32_t used_ = 0;
    std::uint64_t suppressed_ = 0;
};

}  // namespace quoin::broker
