#include "agent/plant_info.hpp"

#include <nlohmann/json.hpp>

#include "host/x509/identity.hpp"

namespace quoin::agent {
namespace {

template <class Check>
bool field(const nlohmann::json& object, const char* name, Check check) {
    return object.contains(name) && check(object[name]);
}

}  // namespace

Result<PlantInfo> parse_plant_info(std::string_view text) {
    if (text.size() > max_plant_info_bytes) {
        return fail(Code::peer_oversize, "plant info of {} bytes", text.size());
    }
    const auto json = nlohmann::json::parse(text, nullptr, false);
    const auto is_text = [](const nlohmann::json& value) {
        return value.is_string() && !value.get_ref<const std::string&>().empty() &&
               value.get_ref<const std::string&>().size() <= 253;
    };
    const auto is_port = [](const nlohmann::json& value) {
        return value.is_number_unsigned() && value.get<std::uint64_t>() >= 1 &&
               value.get<std::uint64_t>() <= 65535;
    };
    const auto is_share = [](const nlohmann::json& value) {
        return value.is_number() && value.get<double>() >= 0.1 && value.get<double>() <= 0.95;
    };
    const auto is_time = [](const nlohmann::json& value) { return value.is_number_unsigned(); };
    if (!json.is_object()) return fail(Code::peer_malformed, "plant info: not a JSON object");
    for (const char* name : {"site", "suite", "class"}) {
        if (!field(json, name, is_text)) {
            return fail(Code::peer_malformed, "plant info: \"{}\" is not a text", name);
        }
    }
    if (!json.contains("broker") || !json["broker"].is_object() ||
        !field(json["broker"], "host", is_text) || !field(json["broker"], "port", is_port)) {
        return fail(Code::peer_malformed, "plant info: \"broker\" is not {{host, port}}");
    }
    if (!field(json, "renew_at", is_share)) {
        return fail(Code::peer_malformed, "plant info: \"renew_at\" is not within 0.1 to 0.95");
    }
    if (!field(json, "now_ms", is_time)) {
        return fail(Code::peer_malformed, "plant info: \"now_ms\" is not a time");
    }
    if (json.contains("next") && !field(json, "next", is_text)) {
        return fail(Code::peer_malformed, "plant info: \"next\" is not a text");
    }
    if (json.contains("renew") && !json["renew"].is_boolean()) {
        return fail(Code::peer_malformed, "plant info: \"renew\" is not true or false");
    }
    if (!x509::is_valid_id(json["site"].get<std::string>())) {
        return fail(Code::peer_malformed, "plant info: \"site\" is not a name");
    }
    return PlantInfo{.site = json["site"],
                     .broker_host = json["broker"]["host"],
                     .broker_port = json["broker"]["port"],
                     .suite = json["suite"],
                     .device_class = json["class"],
                     .renew_at = json["renew_at"],
                     .now_ms = json["now_ms"],
                     .renew = json.value("renew", false),
                     .next_suite = json.value("next", "")};
}

}  // namespace quoin::agent
