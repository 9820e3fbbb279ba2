#include "server/verifier/manifest.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "core/evidence/evidence.hpp"
#include "host/crypto/crypto.hpp"
#include "host/x509/identity.hpp"

namespace quoin::verifier {
namespace {

using Json = nlohmann::json;

bool is_text_of(std::string_view text, std::size_t max_size, std::string_view others) {
    return !text.empty() && text.size() <= max_size && std::ranges::all_of(text, [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               others.contains(c);
    });
}

// Takes the text of a field out of `object`.
Result<std::string> take_text(Json& object, std::string_view where, std::string_view field) {
    const auto found = object.find(field);
    if (found == object.end()) return fail(Code::input_invalid, "{}: {} is missing", where, field);
    if (!found->is_string()) {
        return fail(Code::input_invalid, "{}: {} must be a text", where, field);
    }
    std::string text = found->get<std::string>();
    object.erase(found);
    return text;
}

Result<void> expect_nothing_left(const Json& object, std::string_view where) {
    if (object.empty()) return {};
    return fail(Code::input_invalid, "{}: unknown field \"{}\"", where,
                object.begin().key().substr(0, 64));
}

Result<Reference> take_reference(Json& entry, std::size_t number) {
    const std::string where = fmt::format("manifest: measurements[{}]", number);
    if (!entry.is_object()) return fail(Code::input_invalid, "{}: must be an object", where);
    Reference reference;
    QUOIN_TRY(reference.name, take_text(entry, where, "name"));
    QUOIN_TRY(reference.sha3_512, take_text(entry, where, "sha3_512"));
    if (entry.contains("device")) {
        QUOIN_TRY(reference.device, take_text(entry, where, "device"));
        if (!x509::is_valid_id(reference.device)) {
            return fail(Code::input_invalid, "{}: device is not [A-Za-z0-9_.-]{{1,128}}", where);
        }
    }
    QUOIN_CHECK(expect_nothing_left(entry, where));
    if (!is_text_of(reference.name, evidence::max_name_size, "_.:/-")) {
        return fail(Code::input_invalid, "{}: name is not [A-Za-z0-9_.:/-]{{1,64}}", where);
    }
    const auto digest = crypto::from_hex(reference.sha3_512);
    if (!digest || digest->size() != evidence::digest_size) {
        return fail(Code::input_invalid, "{}: sha3_512 is not 128 hex digits", where);
    }
    reference.sha3_512 = crypto::to_hex(*digest);
    return reference;
}

// A key that is there twice would silently lose its first value.
Result<Json> parse_json(std::string_view text) {
    std::vector<std::set<std::string>> keys;
    std::string repeated;
    const auto watch = [&](int, Json::parse_event_t event, Json& parsed) {
        if (event == Json::parse_event_t::object_start) keys.emplace_back();
        if (event == Json::parse_event_t::object_end) keys.pop_back();
        if (event == Json::parse_event_t::key &&
            !keys.back().insert(parsed.get<std::string>()).second) {
            repeated = parsed.get<std::string>();
        }
        return true;
    };
    Json json = Json::parse(text, watch, false);
    if (json.is_discarded()) return fail(Code::input_invalid, "manifest: is not JSON");
    if (!repeated.empty()) {
        return fail(Code::input_invalid, "manifest: field \"{}\" is there twice",
                    repeated.substr(0, 64));
    }
    if (!json.is_object()) return fail(Code::input_invalid, "manifest: must be an object");
    return json;
}

}  // namespace

Result<Manifest> parse_manifest(std::string_view text) {
    constexpr std::string_view where = "manifest";
    if (text.size() > max_manifest_size) {
        return fail(Code::input_invalid, "manifest of {} bytes: the limit is {}", text.size(),
                    max_manifest_size);
    }
    QUOIN_TRY(Json json, parse_json(text));
    Manifest manifest;
    QUOIN_TRY(manifest.release, take_text(json, where, "release"));
    QUOIN_TRY(manifest.device_class, take_text(json, where, "class"));
    if (!is_text_of(manifest.release, evidence::max_release_size, "_.+-")) {
        return fail(Code::input_invalid, "manifest: release is not [A-Za-z0-9_.+-]{{1,64}}");
    }
    if (manifest.device_class != "mpu" && manifest.device_class != "mcu") {
        return fail(Code::input_invalid, "manifest: class is not mpu or mcu");
    }
    const auto list = json.find("measurements");
    if (list == json.end() || !list->is_array() || list->empty() ||
        list->size() > max_manifest_measurements) {
        return fail(Code::input_invalid, "manifest: measurements must be a list of 1 .. {}",
                    max_manifest_measurements);
    }
    std::set<std::pair<std::string, std::string>> seen;
    for (std::size_t i = 0; i < list->size(); ++i) {
        QUOIN_TRY(Reference reference, take_reference((*list)[i], i));
        if (!seen.emplace(reference.device, reference.name).second) {
            return fail(Code::input_invalid, "manifest: measurements[{}]: {} is there twice", i,
                        reference.name);
        }
        manifest.measurements.push_back(std::move(reference));
    }
    json.erase("measurements");
    QUOIN_CHECK(expect_nothing_left(json, where));
    return manifest;
}

}  // namespace quoin::verifier
