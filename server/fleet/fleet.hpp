// The inventory and the state of every device: the one writer of `devices.state`.
//
// Every change is committed first, then published as DeviceChanged, one after the other: the order
// in which listeners (the broker's feed) hear of a device is the order of its commits. Errors:
// input_* for what the caller gave, state_wrong for a right request at the wrong time. Threads:
// any. Listeners of DeviceChanged must not call back into the fleet.
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/audit/audit.hpp"
#include "host/feed/feed.hpp"
#include "host/store/database.hpp"
#include "server/bus/bus.hpp"
#include "server/fleet/lifecycle.hpp"

namespace quoin::server {

class Fleet {
public:
    // Listens to verdict_reached and certificate_issued on `bus`. All three must outlive the fleet.
    Fleet(store::Database& database, Bus& bus, audit::Log& audit,
          std::chrono::seconds verdict_lifetime);

    // Adds a maker's batch list (inventory.hpp), all or nothing; how many devices were added. A
    // device or a certificate that is in the inventory already is input_conflict, naming the line.
    // `actor`: who asked, for the audit log.
    Result<std::size_t> import(std::string_view batch, std::string_view actor);

    // quarantined -> degraded: the device may attest again, and only a passing appraisal lifts it.
    Result<State> release(std::string_view device, std::string_view actor);

    // Ends the device: state, certificates, session, re-enrolment. There is no way back.
    Result<void> revoke(std::string_view device, std::string_view reason, std::string_view actor);

    // Every device as the broker must treat it (feed_server.hpp).
    Result<std::vector<feed::Device>> snapshot();

    // How many devices are in each of the states, those without any included.
    Result<std::vector<std::pair<std::string, std::int64_t>>> counts();

    // To be called about once a second: degrades each mpu whose verdict is older than its lifetime
    // (I10), and finishes isolations and enrolments whose last step a crash or the database cut
    // off. Once before the broker may ask for a snapshot.
    void sweep();

    // Whether what was published is what must hold: false while sweep() cannot do its work, so
    // that verdicts may have run out unnoticed. The broker must not be kept going then.
    bool is_current() const;

private:
    Result<void> try_sweep();
    Result<void> finish_isolations();
    struct Device {
        std::string id = {};
        DeviceClass device_class = DeviceClass::mcu;
        State state = State::expected;
        std::string reason = {};
        std::int64_t verdict_ms = 0;
        std::vector<std::string> revoked = {};  // serials
    };

    static Result<Device> load(soci::session& session, std::string_view device);
    static Result<void> save(soci::session& session, Device& device);
    Result<std::size_t> insert_batch(std::string_view batch);
    void on_verdict(const VerdictReached& verdict);
    void shut_out(const VerdictReached& verdict);
    Result<void> apply_verdict(const VerdictReached& verdict);
    Result<void> enrol(std::string_view device);
    Result<Device> release_row(std::string_view device);
    Result<Device> revoke_row(std::string_view device, std::string_view reason);
    Result<std::vector<std::string>> devices_of(std::string_view condition, std::int64_t bound_ms);
    void publish(const Device& device);

    store::Database& database_;
    Bus& bus_;
    audit::Log& audit_;
    std::chrono::seconds verdict_lifetime_;
    std::mutex order_;  // from the start of a change to the end of its publication
    // Under order_. Untrusted verdicts that the database did not take: they hold all the same, and
    // sweep() tries again.
    std::map<std::string, VerdictReached, std::less<>> unrecorded_;
    std::atomic<std::chrono::steady_clock::time_point> swept_;  // last without an error
};

}  // namespace quoin::server
