#include "server/telemetry/distrust.hpp"

#include "server/telemetry/contiguity.hpp"
#include "server/telemetry/sample.hpp"

namespace quoin::telemetry {
namespace {

constexpr std::int64_t clock_tolerance_ms = 2000;

// When the device passed last before `verdict_ms`; 0: never.
std::int64_t pass_before(soci::session& session, const std::string& device,
                         std::int64_t verdict_ms) {
    std::int64_t pass_ms = 0;
    session << "SELECT last_pass_ms FROM devices WHERE device_id = :d", soci::into(pass_ms),
        soci::use(device);
    if (pass_ms <= verdict_ms) return pass_ms;
    // It has passed again meanwhile, or the clock was set back.
    session << "SELECT COALESCE(MAX(at_ms), 0) FROM verdicts WHERE device_id = :d AND "
               "verdict = 'trusted' AND at_ms < :v",
        soci::into(pass_ms), soci::use(device), soci::use(verdict_ms);
    return pass_ms;
}

std::vector<std::int64_t> stream_keys(soci::session& session, const std::string& device) {
    const soci::rowset<std::int64_t> rows =
        (session.prepare << "SELECT stream_key FROM streams WHERE device_id = :d",
         soci::use(device));
    return {rows.begin(), rows.end()};
}

std::int64_t mark_stream(soci::session& session, std::int64_t key, std::int64_t pass_ms) {
    // The newest sample from before the pass bounds the scan. Samples may have been stored out of
    // order by as much as the window.
    std::int64_t before = 0;
    session << "SELECT seq FROM samples WHERE stream_key = :k AND stored_ms <= :p "
               "ORDER BY seq DESC LIMIT 1",
        soci::into(before), soci::use(key), soci::use(pass_ms);
    const auto from = before - static_cast<std::int64_t>(Contiguity::window);
    soci::statement update =
        (session.prepare << "UPDATE samples SET suspect = 1 WHERE stream_key = :k AND "
                            "seq > :s AND stored_ms > :p AND suspect = 0",
         soci::use(key), soci::use(from), soci::use(pass_ms));
    update.execute(true);
    return update.get_affected_rows();
}

}  // namespace

bool suspects(std::int64_t until_ms, std::int64_t ts_ms, std::int64_t now_ms) {
    if (until_ms == 0 || ts_ms <= until_ms) return true;
    // No sample may be more than a day ahead: after a day those are behind us.
    return now_ms < until_ms + day_ms && ts_ms > now_ms + clock_tolerance_ms;
}

Result<Distrust> load_distrust(store::Database& database) {
    return database.transaction([](soci::session& session) -> Result<Distrust> {
        session << "UPDATE distrust SET until_ms = (SELECT verdict_ms FROM devices WHERE "
                   "devices.device_id = distrust.device_id) WHERE until_ms = 0 AND device_id IN "
                   "(SELECT device_id FROM devices WHERE verdict = 'trusted')";
        Distrust found;
        std::string device;
        std::int64_t until_ms = 0;
        soci::statement statement = (session.prepare << "SELECT device_id, until_ms FROM distrust",
                                     soci::into(device), soci::into(until_ms));
        statement.execute();
        while (statement.fetch()) found[device] = until_ms;
        return found;
    });
}

Result<std::vector<UntrustedDevice>> untrusted_devices(store::Database& database) {
    return database.read([](soci::session& session) -> Result<std::vector<UntrustedDevice>> {
        std::vector<UntrustedDevice> found;
        UntrustedDevice row;
        soci::statement statement = (session.prepare << "SELECT device_id, verdict_ms FROM devices "
                                                        "WHERE verdict = 'untrusted'",
                                     soci::into(row.device), soci::into(row.verdict_ms));
        statement.execute();
        while (statement.fetch()) found.push_back(row);
        return found;
    });
}

Result<std::int64_t> begin_distrust(store::Database& database, const std::string& device,
                                    std::int64_t verdict_ms) {
    return database.transaction([&](soci::session& session) -> Result<std::int64_t> {
        session << "INSERT INTO distrust (device_id, until_ms) VALUES (:d, 0) "
                   "ON CONFLICT (device_id) DO UPDATE SET until_ms = 0",
            soci::use(device);
        const std::int64_t pass_ms = pass_before(session, device, verdict_ms);
        std::int64_t marked = 0;
        for (const std::int64_t key : stream_keys(session, device)) {
            marked += mark_stream(session, key, pass_ms);
        }
        return marked;
    });
}

Result<void> end_distrust(store::Database& database, const std::string& device,
                          std::int64_t pass_ms) {
    return database.transaction([&](soci::session& session) -> Result<void> {
        session << "UPDATE distrust SET until_ms = :p WHERE device_id = :d AND until_ms = 0",
            soci::use(pass_ms), soci::use(device);
        return {};
    });
}

}  // namespace quoin::telemetry
