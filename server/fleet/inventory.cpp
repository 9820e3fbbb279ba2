#include "server/fleet/inventory.hpp"

#include <nlohmann/json.hpp>
#include <unordered_map>

#include "host/x509/identity.hpp"

namespace quoin::server {
namespace {

using nlohmann::json;

// What a person sees of a wrong value: short, and printable whatever it was.
std::string shown(std::string_view value) {
    std::string text;
    for (const char character : value.substr(0, 80)) {
        text.push_back(character >= ' ' && character <= '~' ? character : '?');
    }
    return text;
}

std::string shown_json(const json& value) {
    const std::string text = value.dump(-1, ' ', true, json::error_handler_t::replace);
    return shown(text);
}

// JSON with each key at most once (the library takes the last of two in silence).
Result<json> parse_object(std::size_t line, std::string_view text) {
    std::vector<std::string> keys;
    std::string repeated;
    const json::parser_callback_t watch = [&](int depth, json::parse_event_t event, json& value) {
        if (event == json::parse_event_t::key && depth == 1) {
            const auto key = value.get<std::string>();
            if (std::ranges::find(keys, key) != keys.end()) repeated = key;
            keys.push_back(key);
        }
        return true;
    };
    json object = json::parse(text, watch, false);
    if (!object.is_object()) {
        return fail(Code::input_invalid, "line {}: \"{}\" is not a JSON object", line, shown(text));
    }
    if (!repeated.empty()) {
        return fail(Code::input_invalid, "line {}: the field \"{}\" is there twice", line,
                    shown(repeated));
    }
    return object;
}

Result<std::string> take_string(std::size_t line, json& object, std::string_view field) {
    const auto found = object.find(field);
    if (found == object.end()) {
        return fail(Code::input_invalid, "line {}: the field \"{}\" is missing", line, field);
    }
    if (!found->is_string()) {
        return fail(Code::input_invalid, "line {}: \"{}\": {} is not a string", line, field,
                    shown_json(*found));
    }
    auto text = found->get<std::string>();
    object.erase(found);
    return text;
}

// False if it is not there.
Result<bool> take_flag(std::size_t line, json& object, std::string_view field) {
    const auto found = object.find(field);
    if (found == object.end()) return false;
    if (!found->is_boolean()) {
        return fail(Code::input_invalid, "line {}: \"{}\": {} is not true or false", line, field,
                    shown_json(*found));
    }
    const bool flag = found->get<bool>();
    object.erase(found);
    return flag;
}

bool is_sha256_hex(std::string_view text) {
    return text.size() == 64 &&
           text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Result<InventoryLine> parse_line(std::size_t line, std::string_view text) {
    if (text.size() > max_batch_line_bytes) {
        return fail(Code::input_invalid, "line {}: longer than {} bytes", line,
                    max_batch_line_bytes);
    }
    QUOIN_TRY(json object, parse_object(line, text));
    QUOIN_TRY(std::string id, take_string(line, object, "silicon_id"));
    QUOIN_TRY(const std::string name, take_string(line, object, "class"));
    QUOIN_TRY(std::string digest, take_string(line, object, "birth_cert_sha256"));
    QUOIN_TRY(const bool foreign, take_flag(line, object, "foreign"));
    if (!object.empty()) {
        return fail(Code::input_invalid,
                    "line {}: unknown field \"{}\" (known: silicon_id, class, birth_cert_sha256, "
                    "foreign)",
                    line, shown(object.begin().key()));
    }
    if (!x509::is_valid_id(id)) {
        return fail(
            Code::input_invalid,
            "line {}: \"silicon_id\": \"{}\" must be 1 to 128 of the letters A-Z a-z 0-9 _ . -",
            line, shown(id));
    }
    const auto device_class = class_by_name(name);
    if (!device_class) {
        return fail(Code::input_invalid, "line {}: \"class\": \"{}\" is not mcu or mpu", line,
                    shown(name));
    }
    if (!is_sha256_hex(digest)) {
        return fail(Code::input_invalid,
                    "line {}: \"birth_cert_sha256\": \"{}\" is not 64 lower-case hex digits", line,
                    shown(digest));
    }
    return InventoryLine{.line = line,
                         .silicon_id = std::move(id),
                         .device_class = *device_class,
                         .birth_cert_sha256 = std::move(digest),
                         .foreign = foreign};
}

Result<void> refuse_duplicate(std::unordered_map<std::string, std::size_t>& seen,
                              std::string_view field, const std::string& value, std::size_t line) {
    const auto [place, is_new] = seen.try_emplace(value, line);
    if (is_new) return {};
    return fail(Code::input_conflict, "line {}: \"{}\": \"{}\" is on line {} already", line, field,
                value, place->second);
}

}  // namespace

Result<std::vector<InventoryLine>> parse_batch(std::string_view text) {
    if (text.size() > max_batch_bytes) {
        return fail(Code::peer_oversize, "the list is longer than {} bytes; split it",
                    max_batch_bytes);
    }
    std::vector<InventoryLine> lines;
    std::unordered_map<std::string, std::size_t> ids;
    std::unordered_map<std::string, std::size_t> digests;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const std::size_t end = text.find('\n');
        std::string_view line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.empty()) continue;
        if (lines.size() == max_batch_lines) {
            return fail(Code::peer_oversize, "the list has more than {} devices; split it",
                        max_batch_lines);
        }
        QUOIN_TRY(InventoryLine parsed, parse_line(number, line));
        QUOIN_CHECK(refuse_duplicate(ids, "silicon_id", parsed.silicon_id, number));
        QUOIN_CHECK(
            refuse_duplicate(digests, "birth_cert_sha256", parsed.birth_cert_sha256, number));
        lines.push_back(std::move(parsed));
    }
    if (lines.empty()) return fail(Code::input_invalid, "the list has no devices");
    return lines;
}

}  // namespace quoin::server
