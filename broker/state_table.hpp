// What quoind said about the devices, and for how long it holds. No clock, no socket, no file.
//
//   closed --open()--> greeting --hello--> snapshot --snapshot_end--> live --device, heartbeat-->
//   live
//      ^                  |                   |                        |
//      +------------------+-------------------+--- gap, step back, out of turn: error; known state
//      stays
//
// A snapshot is built aside and swapped in when it is whole and its head holds. Nothing is known at
// the start, and what is known ends `lifetime_ms` after the last line of a live feed (I10).
//
// Revocations only grow (I7): they come in statements, or in a snapshot whose head the issuing CA
// signed for this connection's nonce; their number never steps back, and no device line takes one
// away. Cost: one verification a connection and one a statement (0.2 ms each), no file.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "broker/trust.hpp"
#include "host/feed/feed.hpp"

namespace quoin::broker {

// Two clocks: `boot_ms` counts suspended time too and is never set; certificates go by `utc_ms`.
struct Now {
    std::int64_t boot_ms = 0;
    std::int64_t utc_ms = 0;
};

inline constexpr std::int64_t max_lifetime_ms = 24LL * 3600 * 1000;

struct DeviceState {
    std::uint64_t epoch = 1;
    feed::Grant grant = feed::Grant::none;
    std::string state;
    std::string reason;
    std::set<std::string, std::less<>> revoked = {};  // serials
    bool has_ended = false;                           // revoked, in this epoch
    bool is_revoked(std::string_view serial) const { return revoked.contains(serial); }
};

class StateTable {
public:
    enum class Change : std::uint8_t { none, device, revocation, everything };

    StateTable(std::string site, IssuerKey issuer_key)
        : site_(std::move(site)), issuer_key_(std::move(issuer_key)) {}

    // A new connection: a hello and a snapshot come next, the snapshot's head with this nonce. What
    // is known stays.
    void open(const feed::Nonce& nonce);
    // Applies one line. An error ends the connection; nothing of the line was applied.
    Result<Change> apply(feed::ToPlugin message, Now now);

    const std::string& site() const { return site_; }
    bool is_fresh(Now now) const { return fresh_until_boot_ms_ > now.boot_ms; }
    // Of the last snapshot and what came after it, fresh or not. Null: unknown.
    const DeviceState* find(std::string_view device) const;
    // What the device may do now: none when it is unknown or the state is not fresh.
    feed::Grant grant(std::string_view device, Now now) const;
    std::uint64_t seq() const { return seq_; }
    // Of the last statement that is known; 0: none.
    std::uint64_t revocation() const { return revocation_; }
    // Who ended by the statement that was applied last.
    const std::vector<std::string>& ended() const { return ended_; }
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
    Result<Change> take(const feed::Revocation& revocation, Now now);
    Result<Change> take(const feed::SnapshotEnd& end, Now now);
    Result<Change> take(feed::Heartbeat beat, Now now);
    Result<Change> stage(feed::Device device);
    Result<feed::Head> check_head(const feed::SnapshotEnd& end);
    Result<void> check_statement(const feed::Statement& statement) const;
    void end(const feed::Ending& ending, const feed::Statement& statement);
    void refresh(Now now) { fresh_until_boot_ms_ = now.boot_ms + lifetime_ms_; }

    std::string site_;
    IssuerKey issuer_key_;
    Devices devices_;
    std::uint64_t revocation_ = 0;
    crypto::Sha3_512Digest last_statement_{};
    std::vector<std::string> ended_;
    std::uint64_t epoch_ = 0;
    std::uint64_t seq_ = 0;
    std::int64_t lifetime_ms_ = 0;
    std::int64_t fresh_until_boot_ms_ = 0;

    // Of the connection.
    Phase phase_ = Phase::closed;
    feed::Nonce nonce_{};
    std::optional<crypto::PublicKey> issuer_;
    feed::Hello next_hello_;
    Devices next_;
    std::uint64_t next_lines_ = 0;
    std::string last_id_;
    feed::EntriesDigest entries_;
    std::optional<std::uint64_t> next_seq_;
};

}  // namespace quoin::broker
