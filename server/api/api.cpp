#include "server/api/api.hpp"

#include <nlohmann/json.hpp>

#include "host/x509/identity.hpp"
#include "server/api/parameters.hpp"
#include "server/api/route.hpp"
#include "server/bus/clock.hpp"

namespace quoin::server {
namespace {

using net::HttpRequest;
using net::HttpResponse;

constexpr std::string_view prefix = "/api/v1/";

// Whether `path` has the form of `pattern`; what stands for {id} goes to `id`.
bool matches(std::string_view pattern, std::string_view path, std::string& id) {
    constexpr std::string_view hole = "{id}";
    const std::size_t at = pattern.find(hole);
    if (at == std::string_view::npos) return pattern == path;
    const std::string_view before = pattern.substr(0, at);
    const std::string_view after = pattern.substr(at + hole.size());
    if (path.size() < before.size() + after.size() || !path.starts_with(before) ||
        !path.ends_with(after)) {
        return false;
    }
    id = path.substr(before.size(), path.size() - before.size() - after.size());
    return id.find('/') == std::string::npos;
}

nlohmann::json describe_parameters(std::string_view path,
                                   const std::vector<std::string_view>& names) {
    nlohmann::json list = nlohmann::json::array();
    if (path.find("{id}") != std::string_view::npos) {
        list.push_back({{"name", "id"},
                        {"in", "path"},
                        {"required", true},
                        {"schema", {{"type", "string"}, {"pattern", "^[A-Za-z0-9_.-]{1,128}$"}}}});
    }
    for (const std::string_view name : names) {
        list.push_back({{"name", name}, {"in", "query"}, {"schema", {{"type", "string"}}}});
    }
    return list;
}

}  // namespace

Api::Api(ApiOptions options, ApiSources sources, store::Database& database, Bus& bus,
         audit::Log& audit)
    : options_(std::move(options)),
      sources_(std::move(sources)),
      database_(database),
      audit_(audit),
      followers_(bus),
      started_ms_(now_ms()) {}

HttpResponse Api::handle(const HttpRequest& request) {
    std::string caller;
    auto answered = dispatch(request, caller);
    if (answered) return *std::move(answered);
    const Error& error = answered.error();
    if (error.code == Code::peer_unauthenticated || error.code == Code::peer_forbidden) {
        audit_.append(audit::Id::api_access_refused, "",
                      {{"caller", caller},
                       {"peer", request.remote},
                       {"call", fmt::format("{} {}", request.method, request.path)},
                       {"reason", error.message}});
    }
    return net::problem(error);
}

Result<HttpResponse> Api::dispatch(const HttpRequest& request, std::string& caller_name) {
    QUOIN_TRY(const Caller caller, identify(request, sources_.authenticate));
    caller_name = caller.name;
    const std::string_view path = request.path;
    if (!path.starts_with(prefix)) {
        return fail(Code::input_not_found, "there is nothing at {}; calls begin with {}", path,
                    prefix);
    }
    std::string allowed;
    for (const Route& route : routes) {
        Call call{.request = request, .caller = caller, .id = {}};
        if (!matches(route.path, path.substr(prefix.size()), call.id)) continue;
        if (route.method != request.method) {
            allowed += (allowed.empty() ? "" : ", ") + std::string(route.method);
            continue;
        }
        QUOIN_CHECK(require(caller, route.role));
        QUOIN_CHECK(only(request.query, route.parameters));
        if (!call.id.empty() && !x509::is_valid_id(call.id)) {
            return fail(Code::input_invalid, "\"{}\" is not an id", call.id);
        }
        return (this->*route.handler)(call);
    }
    if (allowed.empty()) return fail(Code::input_not_found, "there is no call {}", path);
    HttpResponse response =
        net::problem({Code::input_invalid, fmt::format("use {} for {}", allowed, path)});
    response.status = 405;
    response.headers.emplace_back("Allow", allowed);
    return response;
}

void Api::note_action(const Call& call, std::string_view device) {
    audit_.append(
        audit::Id::api_action_done, device,
        {{"caller", call.caller.name}, {"peer", call.request.remote}, {"call", call.request.path}});
}

Result<HttpResponse> Api::openapi(const Call&) {
    nlohmann::json paths = nlohmann::json::object();
    for (const Route& route : routes) {
        nlohmann::json operation{
            {"summary", route.summary},
            {"description", fmt::format("Role: {} or more.", x509::role_name(route.role))},
            {"parameters", describe_parameters(route.path, route.parameters)},
            {"responses",
             {{"200",
               {{"description", "Done"},
                {"content", {{std::string(route.answer), nlohmann::json::object()}}}}},
              {"default",
               {{"description", "Refused: RFC 9457"},
                {"content",
                 {{"application/problem+json",
                   {{"schema", {{"$ref", "#/components/schemas/Problem"}}}}}}}}}}}};
        if (!route.body.empty()) {
            operation["requestBody"] = {
                {"content", {{std::string(route.body), nlohmann::json::object()}}}};
        }
        std::string method(route.method);
        for (char& letter : method) letter = static_cast<char>(letter - 'A' + 'a');
        paths["/" + std::string(route.path)][method] = std::move(operation);
    }
    const nlohmann::json string_type{{"type", "string"}};
    const nlohmann::json document{{"openapi", "3.1.0"},
                                  {"info",
                                   {{"title", "Quoin"},
                                    {"version", "1"},
                                    {"description", "Mutual TLS with an operator certificate."}}},
                                  {"servers", {{{"url", "/api/v1"}}}},
                                  {"paths", std::move(paths)},
                                  {"components",
                                   {{"schemas",
                                     {{"Problem",
                                       {{"type", "object"},
                                        {"properties",
                                         {{"type", string_type},
                                          {"title", string_type},
                                          {"status", {{"type", "integer"}}},
                                          {"detail", string_type}}}}}}}}}};
    return json_response(document.dump());
}

Result<HttpResponse> Api::status(const Call&) {
    nlohmann::json devices = nlohmann::json::object();
    const auto counted = database_.read([&](soci::session& session) -> Result<void> {
        constexpr std::size_t more_than_states = 16;
        std::vector<std::string> states(more_than_states);
        std::vector<std::int64_t> counts(more_than_states);
        session << "SELECT state, COUNT(*) FROM devices GROUP BY state", soci::into(states),
            soci::into(counts);
        for (std::size_t i = 0; i < states.size(); ++i) devices[states[i]] = counts[i];
        return {};
    });
    QUOIN_CHECK(counted);
    QUOIN_TRY(const std::int64_t samples, sources_.sample_count());
    const nlohmann::json document{{"site", options_.site},
                                  {"suite", options_.suite},
                                  {"uptime_ms", now_ms() - started_ms_},
                                  {"devices", std::move(devices)},
                                  {"samples", samples},
                                  {"broker_connected", sources_.broker_connected()}};
    return json_response(document.dump());
}

}  // namespace quoin::server
