// What quoind said about the devices, and for how long it holds. Pure: no clock, no socket.
//
//   closed --open()--> greeting --hello--> snapshot --snapshot_end--> live --device, heartbeat-->
//   live
//      ^                  |                   |                        |
//      +------------------+-------------------+--- gap, step back, out of turn: error; known state
//      stays
//
// A snapshot is built aside and swapped in when it is whole. Nothing is known at the start, and
// what is known ends `lifetime_ms` after the last line of a live feed (I10).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "host/feed/feed.hpp"

namespace quoin::broker {

// Two clocks: `boot_ms` counts suspended time too and is never set; certificates go by `utc_ms`.
struct Now {
    std::int64_t boot_ms = 0;
    std::int64_t utc_ms = 0;
};

inline constexpr std::int64_t max_lifetime_ms = 24LL * 3600 * 1000;

struct DeviceState {
    feed::Grant grant = feed::Grant::none;
    std::string state;
    std::string reason;
    std::vector<std::string> revoked;
    bool is_revoked(std::string_view serial) const;
};

class StateTable {
public:
    enum class Change : std::uint8_t { none, device, everything };

    explicit StateTable(std::string site) : site_(std::move(site)) {}

    // A new connection: a hello and a snapshot come next. What is known stays.
    void open();
    // Applies one line. An error ends the connection; nothing of the line was applied.
    Result<Change> apply(feed::ToPlugin message, Now now);

    const std::string& site() const { return site_; }
    bool is_fresh(Now now) const { return fresh_until_boot_ms_ > now.boot_ms; }
    // Of the last snapshot and what came after it, fresh or not. Null: unknown.
    const DeviceState* find(std::string_view device) const;
    // What the device may do now: none when it is unknown or the state is not fresh.
    feed::Grant grant(std::string_view device, Now now) const;
    std::uint64_t seq() const { return seq_; }
    std::size_t size() const { return devices_.size(); }

private:
    enum class Phase : std::uint8_t { closed, greeting, snapshot, live };
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const {
            return std::hash<std::string_view>{}(text);
        }
    };
    using Devices = std::unordered_map<std::string, DeviceState, Hash, std::equal_to<>>;

    Result<Change> take(feed::Hello hello, Now now);
    Result<Change> take(feed::Device device, Now now);
    Result<Change> take(feed::SnapshotEnd end, Now now);
    Result<Change> take(feed::Heartbeat beat, Now now);
    Result<Change> stage(feed::Device device);
    void refresh(Now now) { fresh_until_boot_ms_ = now.boot_ms + lifetime_ms_; }

    std::string site_;
    Devices devices_;
    std::uint64_t epoch_ = 0;
    std::uint64_t seq_ = 0;
    std::int64_t lifetime_ms_ = 0;
    std::int64_t fresh_until_boot_ms_ = 0;

    Phase phase_ = Phase::closed;
    feed::Hello next_hello_;
    Devices next_;
    std::optional<std::uint64_t> next_seq_;
};

}  // namespace quoin::broker
