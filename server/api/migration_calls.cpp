// How far the plant's migration to another suite has come.
#include <nlohmann/json.hpp>

#include "server/api/parameters.hpp"
#include "server/api/route.hpp"

namespace quoin::server {
namespace {

constexpr std::string_view has_moved =
    " EXISTS (SELECT 1 FROM moves WHERE moves.device_id = devices.device_id AND moves.issuer = "
    ":issuer)";
// Also who has not switched to it, or not yet.
constexpr std::string_view has_certificate =
    " EXISTS (SELECT 1 FROM certificates WHERE subject_id = device_id AND kind = 'device' AND "
    "issuer = :issuer)";
constexpr std::string_view can_move = "state IN ('onboarding', 'active', 'degraded') AND";
// It gets no certificate.
constexpr std::string_view is_quarantined = "state = 'quarantined' AND";
constexpr std::size_t max_named = 100;

std::int64_t count(soci::session& session, const std::string& of, const std::string& issuer) {
    std::int64_t number = 0;
    session << fmt::format("SELECT COUNT(*) FROM devices WHERE {}", of), soci::use(issuer),
        soci::into(number);
    return number;
}

}  // namespace

Result<net::HttpResponse> Api::migration(const Call& call) {
    const std::optional<MigrationState> state = sources_.migration();
    nlohmann::json document{{"suite", options_.suite}, {"to", nullptr}};
    if (!state) {
        // Who has given a migration up asks whether that was in time.
        QUOIN_TRY(const std::string issuer, id(call.request.query, "issuer"));
        const auto counted = database_.read([&](soci::session& session) -> Result<void> {
            document["certified"] = count(session, std::string(has_certificate), issuer);
            return {};
        });
        QUOIN_CHECK(counted);
        return json_response(document.dump());
    }
    const auto counted = database_.read([&](soci::session& session) -> Result<void> {
        document["to"] = state->suite;
        const std::string& issuer = state->issuer;
        document["moved"] = count(session, std::string(has_moved), issuer);
        document["certified"] = count(session, std::string(has_certificate), issuer);
        document["behind"] = count(session, fmt::format("{} NOT{}", can_move, has_moved), issuer);
        document["quarantined"] =
            count(session, fmt::format("{} NOT{}", is_quarantined, has_moved), issuer);
        nlohmann::json names = nlohmann::json::array();
        const soci::rowset<std::string> rows =
            (session.prepare << fmt::format("SELECT device_id FROM devices WHERE {} NOT{} ORDER BY "
                                            "device_id LIMIT {}",
                                            can_move, has_moved, max_named),
             soci::use(state->issuer));
        for (const std::string& name : rows) names.push_back(name);
        document["behind_devices"] = std::move(names);
        return {};
    });
    QUOIN_CHECK(counted);
    return json_response(document.dump());
}

}  // namespace quoin::server
