// Bounds what one peer can write into the audit log: a bucket of tokens for each id and subject.
//
// Threads: none of its own; the log calls it under its lock.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/audit/catalogue.hpp"

namespace quoin::audit {

class Throttle {
public:
    using Clock = std::chrono::steady_clock;
    static constexpr std::size_t max_buckets = 4096;
    static constexpr std::chrono::seconds report_after{60};

    struct Suppressed {
        Id id;
        std::string subject;
        std::uint64_t count;
    };

    Throttle(std::uint64_t burst, std::chrono::milliseconds refill)
        : burst_(burst), refill_(refill) {}

    // Whether this event may be written; one that may not is counted.
    bool admit(Id id, std::string_view subject, Clock::time_point now);
    // What was suppressed for `report_after`, or all of it: told once, then counted from 0 again.
    std::vector<Suppressed> take_due(Clock::time_point now, bool all);
    bool has_suppressed() const { return suppressed_buckets_ != 0; }

private:
    struct Bucket {
        std::uint64_t tokens;
        Clock::time_point refilled;
        std::uint64_t suppressed = 0;
        Clock::time_point suppressed_since{};
    };
    void refill(Bucket& bucket, Clock::time_point now) const;
    void purge(Clock::time_point now);
    Bucket& bucket(Id id, std::string_view subject, Clock::time_point now);

    std::uint64_t burst_;
    std::chrono::milliseconds refill_;
    std::map<std::pair<Id, std::string>, Bucket> buckets_;
    std::size_t suppressed_buckets_ = 0;
    Clock::time_point purged_at_ = {};
};

}  // namespace quoin::audit
