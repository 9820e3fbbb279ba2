// Calls about requests for certificates.
#include <array>
#include <charconv>
#include <limits>
#include <nlohmann/json.hpp>

#include "server/api/parameters.hpp"
#include "server/api/route.hpp"

namespace quoin::server {
namespace {

using net::HttpResponse;
using nlohmann::json;

constexpr std::size_t max_enrolments_page = 1000;
constexpr std::string_view columns =
    "number, device_id, kind, renewal, key_sha256, key_residence, state, created_ms, decided_ms, "
    "actor, reason, serial";

json enrolment_json(const soci::row& row) {
    return {
        {"enrolment", row.get<long long>(0)},    {"device", row.get<std::string>(1)},
        {"kind", row.get<std::string>(2)},       {"renewal", row.get<int>(3) != 0},
        {"key_sha256", row.get<std::string>(4)}, {"key_residence_claimed", row.get<std::string>(5)},
        {"state", row.get<std::string>(6)},      {"created_ms", row.get<long long>(7)},
        {"decided_ms", row.get<long long>(8)},   {"by", row.get<std::string>(9)},
        {"reason", row.get<std::string>(10)},    {"serial", row.get<std::string>(11)}};
}

Result<std::int64_t> number_of(const std::string& id) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), number);
    if (error == std::errc{} && end == id.data() + id.size() && number > 0) return number;
    return fail(Code::input_invalid, "\"{}\" is not the number of an enrolment", id);
}

Result<std::string> reason_of(const std::string& body) {
    const json document = json::parse(body, nullptr, false);
    if (document.is_object() && document.size() == 1 && document.contains("reason") &&
        document["reason"].is_string()) {
        return document["reason"].get<std::string>();
    }
    return fail(Code::input_invalid, "the body must be {{\"reason\": \"...\"}}");
}

}  // namespace

Result<HttpResponse> Api::list_enrolments(const Call& call) {
    constexpr std::array<std::string_view, 5> states{"", "pending", "approved", "issued",
                                                     "refused"};
    QUOIN_TRY(const std::string state, id(call.request.query, "state"));
    if (std::ranges::find(states, state) == states.end()) {
        return fail(Code::input_invalid, "state is pending, approved, issued or refused");
    }
    QUOIN_TRY(const std::int64_t after, whole_number(call.request.query, "after", 0,
                                                     std::numeric_limits<std::int64_t>::max(), 0));
    QUOIN_TRY(const std::int64_t limit,
              whole_number(call.request.query, "limit", 1, max_enrolments_page, 100));
    return database_.read([&](soci::session& session) -> Result<HttpResponse> {
        const std::int64_t one_more = limit + 1;  // tells whether there is a next page
        // Two statements, so that each has an index that fits.
        const std::string statement = fmt::format(
            "SELECT {} FROM enrolments WHERE {} AND number > :after ORDER BY number LIMIT :limit",
            columns, state.empty() ? "state <> :state" : "state = :state");
        const soci::rowset<soci::row> rows =
            (session.prepare << statement, soci::use(state), soci::use(after), soci::use(one_more));
        json enrolments = json::array();
        json next;
        for (const soci::row& row : rows) {
            if (enrolments.size() == static_cast<std::size_t>(limit)) {
                next = enrolments.back().at("enrolment");
                break;
            }
            enrolments.push_back(enrolment_json(row));
        }
        return json_response(
            json{{"enrolments", std::move(enrolments)}, {"next", std::move(next)}}.dump());
    });
}

Result<HttpResponse> Api::show_enrolment(std::int64_t number) {
    return database_.read([&](soci::session& session) -> Result<HttpResponse> {
        const std::string statement =
            fmt::format("SELECT {} FROM enrolments WHERE number = :n", columns);
        const soci::rowset<soci::row> rows = (session.prepare << statement, soci::use(number));
        const auto row = rows.begin();  // each begin() fetches: call it once
        if (row == rows.end()) {
            return fail(Code::input_not_found, "there is no enrolment {}", number);
        }
        return json_response(enrolment_json(*row).dump());
    });
}

Result<HttpResponse> Api::approve_enrolment(const Call& call) {
    QUOIN_TRY(const std::int64_t number, number_of(call.id));
    QUOIN_CHECK(sources_.approve(number, call.caller.name));
    note_action(call, "");
    return show_enrolment(number);
}

Result<HttpResponse> Api::refuse_enrolment(const Call& call) {
    QUOIN_TRY(const std::int64_t number, number_of(call.id));
    QUOIN_TRY(const std::string reason, reason_of(call.request.body));
    QUOIN_CHECK(sources_.refuse(number, reason, call.caller.name));
    note_action(call, "");
    return show_enrolment(number);
}

}  // namespace quoin::server
