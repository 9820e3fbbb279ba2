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
#include "server/bus/revocation.hpp"
#include "server/fleet/inventory.hpp"
#include "server/fleet/lifecycle.hpp"

namespace quoin::server {

struct FleetOptions {
    std::string site;
    std::chrono::seconds verdict_lifetime;
    feed::Sign sign;  // by the issuing CA; must be there before the first revoke()
};

struct Imported {
    std::size_t added = 0;
    std::size_t readmitted = 0;
};

class Fleet {
public:
    // Listens to verdict_reached and certificate_issued on `bus`. The references must outlive the
    // fleet.
    Fleet(FleetOptions options, store::Database& database, Bus& bus, audit::Log& audit);

    // Adds a maker's batch list (inventory.hpp), all or nothing. A device that is in the inventory
    // already, or a birth certificate that ever was, is input_conflict, naming the line. With
    // `readmit` a revoked device comes back by its new birth certificate: expected, in its next
    // epoch; its old certificates stay revoked. `actor`: who asked, for the audit log.
    Result<Imported> import(std::string_view batch, bool readmit, std::string_view actor);

    // quarantined -> degraded: the device may attest again, and only a passing appraisal lifts it.
    Result<State> release(std::string_view device, std::string_view actor);

    // Ends devices: state, certificates, sessions, requests that wait, re-enrolment; all that are
    // known and not out yet, in one transaction, with signed statements (host/feed/revocation.hpp).
    // Again: nothing more, and it says so.
    Result<RevocationOutcome> revoke(const RevocationRequest& request);
    // Certificates of a service or an operator: their serials. input_not_found: there is none that
    // is not revoked already.
    Result<std::vector<std::string>> revoke(const NamedRevocation& request);
    // What revoke() would end; changes nothing.
    Result<RevocationOutcome> preview(const RevocationRequest& request);

    // Every device as the broker must treat it (feed_server.hpp).
    Result<feed::PlantState> snapshot();

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
        std::uint64_t epoch = 1;
        State state = State::expected;
        std::string reason = {};
        std::int64_t verdict_ms = 0;
    };

    static Result<Device> load(soci::session& session, std::string_view device);
    static void save(soci::session& session, Device& device);
    Result<Imported> take_batch(std::string_view batch, bool readmit);
    Result<RevocationOutcome> revoke_rows(const RevocationRequest& request,
                                          std::vector<feed::SealedStatement>& statements);
    Result<std::vector<std::string>> revoke_named_rows(
        const NamedRevocation& request, std::vector<feed::SealedStatement>& statements);
    void tell(const RevocationRequest& request, const RevocationOutcome& outcome,
              const std::vector<feed::SealedStatement>& statements);
    void on_verdict(const VerdictReached& verdict);
    void shut_out(const VerdictReached& verdict);
    Result<void> apply_verdict(const VerdictReached& verdict);
    Result<void> enrol(std::string_view device);
    Result<Device> release_row(std::string_view device);
    Result<std::vector<std::string>> devices_of(std::string_view condition, std::int64_t bound_ms);
    void publish(const Device& device);

    FleetOptions options_;
    store::Database& database_;
    Bus& bus_;
    audit::Log& audit_;
    std::mutex order_;  // from the start of a change to the end of its publication
    // Under order_. Untrusted verdicts that the database did not take: they hold all the same, and
    // sweep() tries again.
    std::map<std::string, VerdictReached, std::less<>> unrecorded_;
    std::atomic<std::chrono::steady_clock::time_point> swept_;  // last without an error
};

}  // namespace quoin::server
