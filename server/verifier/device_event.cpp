#include "server/verifier/device_event.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

#include "host/x509/identity.hpp"

namespace quoin::verifier {

using Json = nlohmann::json;

Result<std::string> event_name(std::string_view json) {
    if (json.size() > max_event_size) {
        return fail(Code::peer_oversize, "event of {} bytes: the limit is {}", json.size(),
                    max_event_size);
    }
    // Values may be of any kind, but not nested deeper than one object.
    constexpr int max_depth = 2;
    bool too_deep = false;
    const auto watch = [&](int depth, Json::parse_event_t event, Json&) {
        const bool opens =
            event == Json::parse_event_t::object_start || event == Json::parse_event_t::array_start;
        if (opens && depth >= max_depth) too_deep = true;
        return !too_deep;
    };
    const Json parsed = Json::parse(json, watch, false);
    if (too_deep || !parsed.is_object())
        return fail(Code::peer_malformed, "event: is not a JSON object");
    const auto name = parsed.find("event");
    if (name == parsed.end() || !name->is_string()) {
        return fail(Code::peer_malformed, "event: the field event is missing or no text");
    }
    std::string text = name->get<std::string>();
    const auto is_plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
    };
    if (text.empty() || text.size() > 64 || !std::ranges::all_of(text, is_plain)) {
        return fail(Code::peer_malformed, "event: the name is not [a-z0-9_.-]{{1,64}}");
    }
    return text;
}

Result<std::string_view> device_of_topic(std::string_view topic, std::string_view site,
                                         std::string_view suffix) {
    const auto skip = [&topic](std::string_view expected) {
        if (!topic.starts_with(expected)) return false;
        topic.remove_prefix(expected.size());
        return true;
    };
    const auto wrong = fail(Code::peer_malformed, "topic: is not quoin/{}/DEVICE/{}", site, suffix);
    if (!skip("quoin/") || !skip(site) || !skip("/")) return wrong;
    const std::string_view device = topic.substr(0, topic.find('/'));
    if (!x509::is_valid_id(device) || !skip(device) || !skip("/") || topic != suffix) return wrong;
    return device;
}

}  // namespace quoin::verifier
