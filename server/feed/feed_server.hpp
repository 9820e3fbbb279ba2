// quoind's end of the broker feed: one plugin dials, gets every device's state, then each change.
//
//        accept             hello                snapshot sent
//   idle ------> greeting ------> snapshotting ---------------> live --> changes, heartbeats
//    ^              |                  |                          |
//    +--------------+------------------+--------------------------+  closed, malformed, too slow
//
// One plugin at a time: a newer connection replaces the older one (a broker that was restarted).
// What is pushed while no plugin is there needs no line: the next connection gets a snapshot.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/feed/feed.hpp"
#include "server/bus/bus.hpp"

namespace quoin::server {

struct FeedOptions {
    std::filesystem::path socket;  // made with mode 0600
    std::string site;
    std::uint64_t epoch = 0;                     // must be larger than at the last start of quoind
    std::chrono::milliseconds lifetime{30'000};  // how long the broker goes on without us
    std::optional<uid_t> broker_uid;             // the plugin's user, when it is not our own
    std::size_t max_backlog_bytes =
        4 * 1024 * 1024;  // beyond the snapshot; more: a plugin too slow
};

class FeedServer {
public:
    // Every device of the plant, and the last statement of revocation, as they are in the database
    // at the time of the call. An error keeps the plugin waiting with what it knows: an empty
    // answer would throw every device off the broker.
    using Snapshot = std::function<Result<feed::PlantState>()>;

    // Whether what was pushed is all that must be known. While it is not there are no heartbeats:
    // the broker goes on until the lifetime of what it knows ends, and then refuses (I10).
    using Current = std::function<bool()>;

    // Listens and starts the one thread that calls `snapshot`, `sign` (the head of a snapshot) and
    // `current`, and publishes broker_session and broker_link on `bus`; all must outlive the
    // server, and register first.
    static Result<std::unique_ptr<FeedServer>> start(FeedOptions options, Snapshot snapshot,
                                                     feed::Sign sign, Current current,
                                                     const Bus& bus);
    virtual ~FeedServer() = default;  // closes the socket, joins the thread

    // Tells the broker. Thread-safe, never waits; `seq` is assigned here. Commit first, then push,
    // and push the changes of one device in the order of their commits: then a change is in the
    // snapshot, or behind it, or both, and the last line about a device is its last state.
    virtual void push(feed::Device device) = 0;
    // The same for a statement of revocation: in the order of their numbers, and after the snapshot
    // that does not have it. One of another issuing CA than greeted the plugin makes it come again.
    virtual void push(const feed::SealedStatement& statement) = 0;
};

}  // namespace quoin::server
