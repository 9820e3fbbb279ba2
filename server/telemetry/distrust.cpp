#include "server/telemetry/distrust.hpp"

#include <algorithm>

#include "server/telemetry/contiguity.hpp"

namespace quoin::telemetry {
namespace {

std::vector<Distrust> read_distrust(soci::session& session, const std::string& device) {
    std::vector<Distrust> found;
    Distrust row;
    soci::statement statement =
        (session.prepare << "SELECT from_ms, to_ms FROM distrust WHERE device_id = :d "
                            "ORDER BY from_ms",
         soci::into(row.from_ms), soci::into(row.to_ms), soci::use(device));
    statement.execute();
    while (statement.fetch()) found.push_back(row);
    return found;
}

std::vector<std::int64_t> stream_keys(soci::session& session, const std::string& device) {
    const soci::rowset<std::int64_t> rows =
        (session.prepare << "SELECT stream_key FROM streams WHERE device_id = :d",
         soci::use(device));
    return {rows.begin(), rows.end()};
}

std::int64_t mark_stream(soci::session& session, std::int64_t key, std::int64_t last_pass_ms) {
    // The newest sample from before the pass bounds the scan. Samples may have been stored out of
    // order by as much as the window.
    std::int64_t before = 0;
    session << "SELECT seq FROM samples WHERE stream_key = :k AND stored_ms <= :p "
               "ORDER BY seq DESC LIMIT 1",
        soci::into(before), soci::use(key), soci::use(last_pass_ms);
    const auto from = before - static_cast<std::int64_t>(Contiguity::window);
    soci::statement update =
        (session.prepare << "UPDATE samples SET suspect = 1 WHERE stream_key = :k AND "
                            "seq > :s AND stored_ms > :p AND suspect = 0",
         soci::use(key), soci::use(from), soci::use(last_pass_ms));
    update.execute(true);
    return update.get_affected_rows();
}

}  // namespace

bool suspects(const std::vector<Distrust>& of_device, std::int64_t ts_ms) {
    return std::ranges::any_of(of_device, [ts_ms](const Distrust& one) {
        return one.to_ms == 0 || (ts_ms > one.from_ms && ts_ms <= one.to_ms);
    });
}

Result<DistrustByDevice> load_distrust(store::Database& database) {
    return database.transaction([](soci::session& session) -> Result<DistrustByDevice> {
        session << "UPDATE distrust SET to_ms = (SELECT last_pass_ms FROM devices WHERE "
                   "devices.device_id = distrust.device_id) WHERE to_ms = 0 AND device_id IN "
                   "(SELECT device_id FROM devices WHERE verdict = 'trusted')";
        DistrustByDevice found;
        std::string device;
        Distrust row;
        soci::statement statement =
            (session.prepare << "SELECT device_id, from_ms, to_ms FROM distrust "
                                "ORDER BY device_id, from_ms",
             soci::into(device), soci::into(row.from_ms), soci::into(row.to_ms));
        statement.execute();
        while (statement.fetch()) found[device].push_back(row);
        return found;
    });
}

Result<std::vector<std::string>> untrusted_devices(store::Database& database) {
    return database.read([](soci::session& session) -> Result<std::vector<std::string>> {
        const soci::rowset<std::string> rows =
            (session.prepare << "SELECT device_id FROM devices WHERE verdict = 'untrusted'");
        return std::vector<std::string>(rows.begin(), rows.end());
    });
}

Result<BegunDistrust> begin_distrust(store::Database& database, const std::string& device) {
    return database.transaction([&](soci::session& session) -> Result<BegunDistrust> {
        std::int64_t last_pass_ms = 0;
        session << "SELECT last_pass_ms FROM devices WHERE device_id = :d",
            soci::into(last_pass_ms), soci::use(device);
        if (!session.got_data()) return BegunDistrust{};
        session << "INSERT INTO distrust (device_id, from_ms, to_ms) VALUES (:d, :p, 0) "
                   "ON CONFLICT (device_id, from_ms) DO UPDATE SET to_ms = 0",
            soci::use(device), soci::use(last_pass_ms);
        BegunDistrust begun;
        for (const std::int64_t key : stream_keys(session, device)) {
            begun.marked += mark_stream(session, key, last_pass_ms);
        }
        begun.all = read_distrust(session, device);
        return begun;
    });
}

Result<std::vector<Distrust>> end_distrust(store::Database& database, const std::string& device,
                                           std::int64_t pass_ms) {
    return database.transaction([&](soci::session& session) -> Result<std::vector<Distrust>> {
        session << "UPDATE distrust SET to_ms = :p WHERE device_id = :d AND to_ms = 0",
            soci::use(pass_ms), soci::use(device);
        return read_distrust(session, device);
    });
}

}  // namespace quoin::telemetry
