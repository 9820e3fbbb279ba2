// Calls about the certificates of services and operators.
#include <nlohmann/json.hpp>

#include "server/api/route.hpp"

namespace quoin::server {
namespace {

using net::HttpResponse;
using nlohmann::json;

// {"reason":"key_compromise","serial":"…"}: a reason of RFC 5280 by name; all may be left out.
Result<NamedRevocation> parse(const std::string& body) {
    NamedRevocation what;
    if (body.empty()) return what;
    const json document = json::parse(body, nullptr, false);
    if (!document.is_object()) return fail(Code::input_invalid, "the body is not a JSON object");
    for (const auto& [name, value] : document.items()) {
        if ((name != "reason" && name != "serial") || !value.is_string()) {
            return fail(Code::input_invalid,
                        "the body may have \"reason\" and \"serial\", strings, and nothing else");
        }
    }
    what.serial = document.value("serial", "");
    const std::string reason = document.value("reason", "unspecified");
    const auto known = x509::reason_by_name(reason);
    if (!known) return fail(Code::input_invalid, "\"{}\" is no reason of RFC 5280", reason);
    what.reason = *known;
    return what;
}

}  // namespace

Result<HttpResponse> Api::revoke_service(const Call& call) { return revoke_named(call, "service"); }

Result<HttpResponse> Api::revoke_operator(const Call& call) {
    return revoke_named(call, "operator");
}

Result<HttpResponse> Api::revoke_named(const Call& call, std::string_view kind) {
    QUOIN_TRY(NamedRevocation what, parse(call.request.body));
    what.kind = kind;
    what.name = call.id;
    what.actor = call.caller.name;
    QUOIN_TRY(const std::vector<std::string> serials, sources_.revoke_named(what));
    note_action(call, "");
    return json_response(json{{"name", what.name}, {"kind", kind}, {"revoked", serials}}.dump());
}

}  // namespace quoin::server
