// Calls about devices, releases and verdicts.
#include <nlohmann/json.hpp>

#include <map>

#include "host/keys/security_provider.hpp"
#include "host/x509/revocation_reason.hpp"
#include "server/api/parameters.hpp"
#include "server/api/route.hpp"

namespace quoin::server {
namespace {

using net::HttpResponse;
using nlohmann::json;

// BIGINT columns are read as long long: SOCI casts exactly, and std::int64_t is long here.
constexpr std::size_t max_devices_page = 1000;
constexpr std::string_view device_columns =
    "device_id, class, state, reason, release_version, boot_counter, verdict, verdict_reason, "
    "verdict_level, "
    "verdict_ms, last_pass_ms, birth_cert_sha256, created_ms, updated_ms, epoch";

json device_json(const soci::row& row) {
    return {
        {"device", row.get<std::string>(0)},        {"class", row.get<std::string>(1)},
        {"state", row.get<std::string>(2)},         {"reason", row.get<std::string>(3)},
        {"release", row.get<std::string>(4)},       {"boot_counter", row.get<long long>(5)},
        {"verdict", row.get<std::string>(6)},       {"verdict_reason", row.get<std::string>(7)},
        {"verdict_level", row.get<std::string>(8)}, {"verdict_ms", row.get<long long>(9)},
        {"last_pass_ms", row.get<long long>(10)},   {"birth_cert_sha256", row.get<std::string>(11)},
        {"created_ms", row.get<long long>(12)},     {"updated_ms", row.get<long long>(13)},
        {"epoch", row.get<long long>(14)}};
}

std::string residence_said(const std::string& recorded) {
    return recorded.empty() ? "not said" : recorded;
}

// By kind, of the newest certificate that is not revoked (of two of one second, the weaker): the
// device's own word, which nothing proves here.
json residence_json(const json& certificates) {
    json claimed = json::object();
    std::map<std::string, json> newest;
    const auto strength = [](const json& certificate) {  // none is the weakest
        return keys::residence_by_name(
            certificate.at("key_residence_claimed").get_ref<const std::string&>());
    };
    for (const json& certificate : certificates) {
        if (certificate.at("revoked_ms") != 0) continue;
        const auto& kind = certificate.at("kind").get_ref<const std::string&>();
        const auto [found, is_first] = newest.try_emplace(kind, certificate);
        if (!is_first && (certificate.at("not_after_ms") != found->second.at("not_after_ms") ||
                          strength(certificate) >= strength(found->second))) {
            continue;
        }
        found->second = certificate;
        claimed[kind] = certificate.at("key_residence_claimed");
    }
    return claimed;
}

// Null: not revoked.
json reason_json(std::int64_t revoked_ms, int number) {
    if (revoked_ms == 0) return nullptr;
    const auto reason = x509::reason_by_number(static_cast<std::uint64_t>(number));
    return x509::reason_name(reason.value_or(x509::Reason::unspecified));
}

json certificates_json(soci::session& session, const std::string& device) {
    json list = json::array();
    const soci::rowset<soci::row> rows =
        (session.prepare
             << "SELECT serial, kind, not_before_ms, not_after_ms, revoked_ms, key_residence, "
                "reason FROM "
                "certificates "
                "WHERE subject_id = :id AND kind IN ('device', 'attest') ORDER BY not_after_ms "
                "DESC, serial LIMIT 100",
         soci::use(device));
    for (const soci::row& row : rows) {
        list.push_back({{"serial", row.get<std::string>(0)},
                        {"kind", row.get<std::string>(1)},
                        {"not_before_ms", row.get<long long>(2)},
                        {"not_after_ms", row.get<long long>(3)},
                        {"revoked_ms", row.get<long long>(4)},
                        {"revocation_reason", reason_json(row.get<long long>(4), row.get<int>(6))},
                        {"key_residence_claimed", residence_said(row.get<std::string>(5))}});
    }
    return list;
}

json streams_json(soci::session& session, const std::string& device) {
    json list = json::array();
    const soci::rowset<soci::row> rows =
        (session.prepare
             << "SELECT stream, contiguous FROM streams WHERE device_id = :id ORDER BY stream",
         soci::use(device));
    for (const soci::row& row : rows) {
        list.push_back(
            {{"stream", row.get<std::string>(0)}, {"contiguous", row.get<long long>(1)}});
    }
    return list;
}

json verdict_json(const soci::row& row) {
    return {{"device", row.get<std::string>(0)}, {"number", row.get<long long>(1)},
            {"at_ms", row.get<long long>(2)},    {"verdict", row.get<std::string>(3)},
            {"reason", row.get<std::string>(4)}, {"level", row.get<std::string>(5)}};
}

Result<json> full_device(store::Database& database, const std::string& device) {
    return database.read([&](soci::session& session) -> Result<json> {
        const std::string statement =
            fmt::format("SELECT {} FROM devices WHERE device_id = :id", device_columns);
        const soci::rowset<soci::row> rows = (session.prepare << statement, soci::use(device));
        const auto row = rows.begin();  // each begin() fetches: call it once
        if (row == rows.end()) {
            return fail(Code::input_not_found, "there is no device {} in the inventory", device);
        }
        json document = device_json(*row);
        document["certificates"] = certificates_json(session, device);
        document["key_residence_claimed"] = residence_json(document["certificates"]);
        document["streams"] = streams_json(session, device);
        return document;
    });
}

}  // namespace

Result<HttpResponse> Api::list_devices(const Call& call) {
    QUOIN_TRY(const std::string state, id(call.request.query, "state"));
    QUOIN_TRY(const std::string after, id(call.request.query, "after"));
    QUOIN_TRY(const std::int64_t limit,
              whole_number(call.request.query, "limit", 1, max_devices_page, 100));
    return database_.read([&](soci::session& session) -> Result<HttpResponse> {
        const std::int64_t one_more = limit + 1;  // tells whether there is a next page
        const std::string statement = fmt::format(
            "SELECT {} FROM devices WHERE device_id > :after AND (:any = '' OR state = :state) "
            "ORDER BY "
            "device_id LIMIT :limit",
            device_columns);
        const soci::rowset<soci::row> rows =
            (session.prepare << statement, soci::use(after), soci::use(state), soci::use(state),
             soci::use(one_more));
        json devices = json::array();
        json next;
        for (const soci::row& row : rows) {
            if (devices.size() == static_cast<std::size_t>(limit)) {
                next = devices.back().at("device");
                break;
            }
            devices.push_back(device_json(row));
        }
        return json_response(
            json{{"devices", std::move(devices)}, {"next", std::move(next)}}.dump());
    });
}

Result<HttpResponse> Api::show_device(const Call& call) {
    QUOIN_TRY(const json document, full_device(database_, call.id));
    return json_response(document.dump());
}

Result<HttpResponse> Api::import_devices(const Call& call) {
    QUOIN_TRY(const bool readmit, truth(call.request.query, "readmit"));
    QUOIN_TRY(const ImportOutcome imported,
              sources_.import(call.request.body, readmit, call.caller.name));
    note_action(call, "");
    return json_response(
        json{{"added", imported.added}, {"readmitted", imported.readmitted}}.dump());
}

Result<HttpResponse> Api::release_device(const Call& call) {
    QUOIN_TRY(const std::string state, sources_.release(call.id, call.caller.name));
    note_action(call, call.id);
    return json_response(json{{"state", state}}.dump());
}

Result<HttpResponse> Api::list_releases(const Call&) {
    return database_.read([](soci::session& session) -> Result<HttpResponse> {
        const soci::rowset<soci::row> rows =
            (session.prepare
             << "SELECT release_version, class, device_id, name, sha3_512 FROM releases "
                "ORDER BY release_version, class, name, device_id");
        json releases = json::array();
        for (const soci::row& row : rows) {
            const json key{{"release", row.get<std::string>(0)},
                           {"class", row.get<std::string>(1)}};
            if (releases.empty() || releases.back()["release"] != key["release"] ||
                releases.back()["class"] != key["class"]) {
                releases.push_back(key);
                releases.back()["measurements"] = json::array();
            }
            json measurement{{"name", row.get<std::string>(3)},
                             {"sha3_512", row.get<std::string>(4)}};
            if (auto device = row.get<std::string>(2); !device.empty())
                measurement["device"] = device;
            releases.back()["measurements"].push_back(std::move(measurement));
        }
        return json_response(json{{"releases", std::move(releases)}}.dump());
    });
}

Result<HttpResponse> Api::add_release(const Call& call) {
    QUOIN_CHECK(sources_.add_release(call.request.body, call.caller.name));
    note_action(call, "");
    return json_response(R"({"added":true})");
}

Result<HttpResponse> Api::list_verdicts(const Call& call) {
    QUOIN_TRY(const std::string device, id(call.request.query, "device"));
    QUOIN_TRY(const std::int64_t limit, whole_number(call.request.query, "limit", 1, 1000, 100));
    // Two statements, so that each has an index that fits.
    const std::string_view by_device =
        "SELECT device_id, number, at_ms, verdict, reason, level FROM verdicts WHERE device_id = "
        ":id "
        "ORDER BY number DESC LIMIT :limit";
    const std::string_view by_time =
        "SELECT device_id, number, at_ms, verdict, reason, level FROM verdicts WHERE device_id <> "
        ":id "
        "ORDER BY at_ms DESC LIMIT :limit";
    const std::string statement(device.empty() ? by_time : by_device);
    return database_.read([&](soci::session& session) -> Result<HttpResponse> {
        const soci::rowset<soci::row> rows =
            (session.prepare << statement, soci::use(device), soci::use(limit));
        json verdicts = json::array();
        for (const soci::row& row : rows) verdicts.push_back(verdict_json(row));
        return json_response(json{{"verdicts", std::move(verdicts)}}.dump());
    });
}

}  // namespace quoin::server
