// Calls that end devices.
#include <nlohmann/json.hpp>

#include "host/x509/identity.hpp"
#include "host/x509/revocation_reason.hpp"
#include "server/api/parameters.hpp"
#include "server/api/route.hpp"

namespace quoin::server {
namespace {

using net::HttpResponse;
using nlohmann::json;

struct Asked {
    RevocationRequest request;
    bool dry_run = false;
};

std::string known_reasons() {
    std::string names;
    for (const x509::Reason reason : x509::reasons) {
        names += fmt::format("{}{}", names.empty() ? "" : ", ", x509::reason_name(reason));
    }
    return names;
}

Result<std::vector<std::string>> ids_of(const json& list) {
    std::vector<std::string> ids;
    for (const json& item : list) {
        if (!item.is_string() || !x509::is_valid_id(item.get_ref<const std::string&>())) {
            return fail(Code::input_invalid,
                        "\"ids\": entry {} is not a device id (1 to 128 of A-Z a-z 0-9 _ . -)",
                        ids.size() + 1);
        }
        ids.push_back(item.get<std::string>());
    }
    return ids;
}

Result<void> take_field(Asked& asked, const std::string& name, const json& value) {
    if (name == "reason" && value.is_string()) {
        const auto reason = x509::reason_by_name(value.get_ref<const std::string&>());
        if (!reason) {
            return fail(Code::input_invalid, "\"reason\" must be one of {}", known_reasons());
        }
        asked.request.reason = *reason;
    } else if (name == "note" && value.is_string()) {
        asked.request.note = value.get<std::string>();
    } else if (name == "dry_run" && value.is_boolean()) {
        asked.dry_run = value.get<bool>();
    } else if (name == "ids" && value.is_array()) {
        QUOIN_TRY(asked.request.devices, ids_of(value));
    } else {
        return fail(Code::input_invalid,
                    "the body may have \"reason\" ({}), \"note\", \"dry_run\"; of "
                    "many, \"ids\"; and nothing else",
                    known_reasons());
    }
    return {};
}

// {"reason":…,"note":…,"dry_run":…}, of many with "ids".
Result<Asked> parse(const std::string& body, bool of_many) {
    const json document = json::parse(body, nullptr, false);
    if (!document.is_object()) return fail(Code::input_invalid, "the body is not a JSON object");
    if (!document.contains("reason")) {
        return fail(Code::input_invalid, "\"reason\" is missing; it is one of {}", known_reasons());
    }
    if (document.contains("ids") != of_many) {
        return fail(Code::input_invalid, "{}",
                    of_many ? "\"ids\" is missing: a list of device ids"
                            : "\"ids\" is for POST devices/revoke");
    }
    Asked asked;
    for (const auto& [name, value] : document.items()) {
        QUOIN_CHECK(take_field(asked, name, value));
    }
    return asked;
}

json ending_json(const DeviceEnding& ending, bool live) {
    json certificates = json::array();
    for (const EndedCertificate& certificate : ending.certificates) {
        certificates.push_back({{"serial", certificate.serial}, {"kind", certificate.kind}});
    }
    return {{"device", ending.device}, {"state_before", ending.state},
            {"epoch", ending.epoch},   {"certificates", std::move(certificates)},
            {"live_session", live},    {"pending_enrolments", ending.enrolments}};
}

json statement_json(const RevocationOutcome& outcome) {
    return outcome.statement == 0 ? json(nullptr) : json(outcome.statement);
}

}  // namespace

Result<HttpResponse> Api::revoke_device(const Call& call) {
    QUOIN_TRY(Asked asked, parse(call.request.body, false));
    asked.request.devices = {call.id};
    asked.request.actor = call.caller.name;
    const bool live = sources_.has_session(call.id);
    QUOIN_TRY(const RevocationOutcome outcome, sources_.revoke(asked.request, asked.dry_run));
    if (!outcome.unknown.empty()) {
        return fail(Code::input_not_found, "there is no device {} in the inventory", call.id);
    }
    if (!outcome.gone.empty()) {
        return fail(Code::state_wrong, "{} is transferred or retired already, for good", call.id);
    }
    if (!asked.dry_run) note_action(call, call.id);
    const bool already = !outcome.already.empty();
    json answer = already ? json{{"device", call.id}, {"state_before", "revoked"}}
                          : ending_json(outcome.ended.front(), live);
    answer["already_revoked"] = already;
    answer["dry_run"] = asked.dry_run;
    answer["statement"] = statement_json(outcome);
    return json_response(answer.dump());
}

Result<HttpResponse> Api::revoke_devices(const Call& call) {
    QUOIN_TRY(Asked asked, parse(call.request.body, true));
    asked.request.actor = call.caller.name;
    QUOIN_TRY(const RevocationOutcome outcome, sources_.revoke(asked.request, asked.dry_run));
    if (!asked.dry_run) note_action(call, "");
    json answer{{"dry_run", asked.dry_run},
                {"revoked", outcome.ended.size()},
                {"already_revoked", outcome.already.size()},
                {"unknown", outcome.unknown},
                {"gone", outcome.gone},
                {"statement", statement_json(outcome)}};
    std::size_t certificates = 0;
    std::size_t sessions = 0;
    std::size_t enrolments = 0;
    for (const DeviceEnding& ending : outcome.ended) {
        certificates += ending.certificates.size();
        enrolments += ending.enrolments.size();
        if (asked.dry_run && sources_.has_session(ending.device)) ++sessions;
    }
    answer["certificates"] = certificates;
    answer["pending_enrolments"] = enrolments;
    if (asked.dry_run) answer["live_sessions"] = sessions;
    return json_response(answer.dump());
}

}  // namespace quoin::server
