#include "host/audit/event.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

#include "host/x509/identity.hpp"

namespace quoin::audit {
namespace {

using Json = nlohmann::ordered_json;

// A JSON string in ASCII; bytes that are no UTF-8 become U+FFFD.
std::string quoted_text(std::string_view text) {
    return Json(text).dump(-1, ' ', true, Json::error_handler_t::replace);
}

std::string escaped(std::string_view text) {
    constexpr std::size_t longest_escape = 6;
    const auto cut = [&](std::size_t size) {
        return quoted_text(std::string(text.substr(0, size)) + "...");
    };
    std::string out = text.size() <= max_text_bytes ? quoted_text(text) : cut(max_text_bytes);
    if (out.size() > max_escaped_bytes) out = cut(max_escaped_bytes / longest_escape - 3);
    return out;
}

std::string encode_value(const Value& value) {
    if (const auto* text = std::get_if<std::string>(&value.get())) return escaped(*text);
    if (const auto* truth = std::get_if<bool>(&value.get())) return *truth ? "true" : "false";
    return fmt::format("{}", std::get<std::int64_t>(value.get()));
}

std::unexpected<Error> malformed(std::string_view why) {
    return fail(Code::integrity_mismatch, "audit line: {}", why);
}

Result<std::string> read_text(const Json& object, const char* key) {
    const auto found = object.find(key);
    if (found == object.end() || !found->is_string()) {
        return malformed(fmt::format("\"{}\" is missing or no text", key));
    }
    return found->get<std::string>();
}

Result<std::int64_t> read_number(const Json& object, const char* key) {
    const auto found = object.find(key);
    if (found == object.end() || !found->is_number_integer() ||
        (found->is_number_unsigned() && found->get<std::uint64_t>() > INT64_MAX)) {
        return malformed(fmt::format("\"{}\" is missing or no whole number", key));
    }
    return found->get<std::int64_t>();
}

// The detail as it came, if it is flat; the comparison with encode() finds any other form.
Result<std::string> read_detail(const Json& object) {
    const auto found = object.find("detail");
    if (found == object.end() || !found->is_object() || found->size() > max_details) {
        return malformed("\"detail\" is missing, no object or too long");
    }
    for (const auto& [key, value] : found->items()) {
        if (!Key::is_valid(key)) return malformed("\"detail\" has a key that is none");
        if (!value.is_string() && !value.is_boolean() && !value.is_number_integer()) {
            return malformed("\"detail\" is not flat");
        }
    }
    return found->dump(-1, ' ', true, Json::error_handler_t::replace);
}

Result<void> read_previous(const Json& object, crypto::Sha3_512Digest& out) {
    QUOIN_TRY(const std::string text, read_text(object, "prev"));
    QUOIN_TRY(const auto bytes, crypto::from_hex(text));
    if (bytes.size() != out.size()) return malformed("\"prev\" is no SHA3-512 digest");
    std::ranges::copy(bytes, out.begin());
    return {};
}

}  // namespace

std::string encode_detail(const Detail& detail) {
    std::string out = "{";
    const auto kept = std::span(detail).first(std::min(detail.size(), max_details));
    for (std::size_t i = 0; i < kept.size(); ++i) {
        const std::string_view key = kept[i].key.text();
        // A second value for a key would be a line that cannot be read back.
        const auto is_same = [&](const Entry& entry) { return entry.key.text() == key; };
        if (std::ranges::any_of(kept.first(i), is_same)) continue;
        if (out.size() > 1) out += ',';
        out += fmt::format("\"{}\":{}", key, encode_value(kept[i].value));
    }
    return out + "}";
}

std::string to_json(const Event& event) {
    return fmt::format(
        R"({{"number":{},"time_ms":{},"id":"{}","severity":{},"subject":"{}","detail":{}}})",
        event.number, event.time_ms, row(event.id).name, static_cast<int>(event.severity),
        event.subject, event.detail);
}

std::string encode(const Line& line) {
    std::string out = to_json(line.event);
    out.pop_back();
    return out + fmt::format(R"(,"prev":"{}"}})", crypto::to_hex(line.previous));
}

Result<Line> decode(std::string_view text) {
    if (text.size() > max_line_bytes) return malformed("too long");
    const Json object = Json::parse(text, nullptr, false);
    if (!object.is_object()) return malformed("no JSON object");
    Line line;
    QUOIN_TRY(const std::int64_t number, read_number(object, "number"));
    if (number < 1) return malformed("\"number\" is below 1");
    line.event.number = static_cast<std::uint64_t>(number);
    QUOIN_TRY(line.event.time_ms, read_number(object, "time_ms"));
    if (line.event.time_ms < 0 || line.event.time_ms > max_time_ms) {
        return malformed("\"time_ms\" is not within the years 1970 to 9999");
    }
    QUOIN_TRY(const std::string name, read_text(object, "id"));
    const auto id = id_by_name(name);
    if (!id) return malformed("\"id\" is not in the catalogue");
    line.event.id = *id;
    QUOIN_TRY(const std::int64_t severity, read_number(object, "severity"));
    if (severity < 0 || severity > 7) return malformed("\"severity\" is not 0 to 7");
    line.event.severity = static_cast<Severity>(severity);
    QUOIN_TRY(line.event.subject, read_text(object, "subject"));
    if (!line.event.subject.empty() && !x509::is_valid_id(line.event.subject)) {
        return malformed("\"subject\" is no device id");
    }
    QUOIN_TRY(line.event.detail, read_detail(object));
    QUOIN_CHECK(read_previous(object, line.previous));
    if (encode(line) != text) return malformed("not in the form in which it was written");
    return line;
}

std::string checkpoint_message(std::uint64_t number, std::int64_t time_ms,
                               const crypto::Sha3_512Digest& previous) {
    return fmt::format("{}\n{}\n{}\n", number, time_ms, crypto::to_hex(previous));
}

std::string checkpoint_detail(std::string_view key_id, Bytes signature) {
    return fmt::format(R"({{"key":"{}","signature":"{}"}})", key_id, crypto::to_base64(signature));
}

Result<Checkpoint> checkpoint_of(const Event& event) {
    const Json detail = Json::parse(event.detail, nullptr, false);
    if (event.id != Id::audit_chain_checkpoint || !detail.is_object() || detail.size() != 2) {
        return malformed("no checkpoint");
    }
    Checkpoint checkpoint;
    QUOIN_TRY(checkpoint.key_id, read_text(detail, "key"));
    QUOIN_TRY(const std::string signature, read_text(detail, "signature"));
    QUOIN_TRY(checkpoint.signature, crypto::from_base64(signature));
    // Base64 has several spellings of one signature; a line has one.
    if (checkpoint_detail(checkpoint.key_id, checkpoint.signature) != event.detail) {
        return malformed("the checkpoint is not in the form in which it was written");
    }
    return checkpoint;
}

Result<std::string> key_id(const crypto::PublicKey& key) {
    QUOIN_TRY(const auto spki, key.spki_der());
    QUOIN_TRY(const auto digest, crypto::sha256(spki));
    return crypto::to_hex(digest);
}

}  // namespace quoin::audit
