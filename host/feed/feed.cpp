#include "host/feed/feed.hpp"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "host/x509/identity.hpp"

namespace quoin::feed {
namespace {

using Json = nlohmann::json;

// A field that is a string for a person: bounded, so that one line always fits.
constexpr std::size_t max_text_bytes = 2048;
// RFC 5280, section 4.1.2.2: at most 20 octets.
constexpr std::size_t max_serial_digits = 40;

// Takes the fields of one object by name; remembers the first thing that was wrong. finish()
// refuses what nobody asked for.
class Fields {
public:
    Fields(const Json& object, std::string_view type) : object_(object), type_(type) {}

    std::string text(const char* name) {
        const Json* field = take(name);
        if (field == nullptr) return {};
        if (!field->is_string()) return wrong(name, "is not a string"), std::string{};
        auto value = field->get<std::string>();
        if (value.size() > max_text_bytes)
            return wrong(name, "is longer than 2048 bytes"), std::string{};
        return value;
    }

    std::string id(const char* name, bool may_be_empty = false) {
        std::string value = text(name);
        const bool valid = x509::is_valid_id(value) || (may_be_empty && value.empty());
        if (!valid) wrong(name, "is not an id (1 to 128 of A-Z a-z 0-9 _ . -)");
        return value;
    }

    std::string serial(const char* name) {
        std::string value = text(name);
        if (!value.empty() && !is_serial(value)) wrong(name, not_a_serial);
        return value;
    }

    std::vector<std::string> serials(const char* name) {
        std::vector<std::string> values;
        const Json* field = take(name);
        if (field == nullptr) return values;
        if (!field->is_array()) return wrong(name, "is not a list"), values;
        for (const Json& item : *field) {
            if (!item.is_string() || !is_serial(item.get_ref<const std::string&>())) {
                return wrong(name, not_a_serial), values;
            }
            values.push_back(item.get<std::string>());
        }
        return values;
    }

    crypto::ByteVector base64(const char* name, std::size_t max_size) {
        const Json* field = take(name);
        if (field == nullptr) return {};
        if (!field->is_string()) return wrong(name, "is not a string"), crypto::ByteVector{};
        auto value = crypto::from_base64(field->get_ref<const std::string&>());
        if (!value) return wrong(name, "is not base64"), crypto::ByteVector{};
        if (value->size() > max_size) return wrong(name, "is too long"), crypto::ByteVector{};
        return *std::move(value);
    }

    Nonce nonce(const char* name) {
        const crypto::ByteVector bytes = base64(name, nonce_bytes);
        Nonce value{};
        if (bytes.size() != value.size()) return wrong(name, "is not 32 bytes"), value;
        std::ranges::copy(bytes, value.begin());
        return value;
    }

    std::vector<std::string> ids(const char* name) {
        std::vector<std::string> values;
        const Json* field = take(name);
        if (field == nullptr) return values;
        if (!field->is_array()) return wrong(name, "is not a list"), values;
        for (const Json& item : *field) {
            if (!item.is_string() || !x509::is_valid_id(item.get_ref<const std::string&>())) {
                return wrong(name, "is not a list of ids"), values;
            }
            values.push_back(item.get<std::string>());
        }
        return values;
    }

    std::uint64_t counter(const char* name) {
        const Json* field = take(name);
        if (field == nullptr) return 0;
        if (!field->is_number_unsigned()) return wrong(name, "is not a whole number from 0"), 0U;
        return field->get<std::uint64_t>();
    }

    std::int64_t whole(const char* name) {
        const std::uint64_t value = counter(name);
        constexpr auto largest = std::numeric_limits<std::int64_t>::max();
        if (value > static_cast<std::uint64_t>(largest)) return wrong(name, "is too large"), 0;
        return static_cast<std::int64_t>(value);
    }

    bool boolean(const char* name) {
        const Json* field = take(name);
        if (field == nullptr) return false;
        if (!field->is_boolean()) return wrong(name, "is not true or false"), false;
        return field->get<bool>();
    }

    Grant grant(const char* name) {
        const std::string value = text(name);
        for (const Grant grant : {Grant::none, Grant::attest_only, Grant::full}) {
            if (value == grant_name(grant)) return grant;
        }
        wrong(name, "is not none, attest_only or full");
        return Grant::none;
    }

    void expect_version(const char* name) {
        const std::uint64_t value = counter(name);
        if (value != static_cast<std::uint64_t>(version))
            wrong(name, "is not the version spoken here, 2");
    }

    void wrong(const char* name, std::string_view what) {
        if (!error_) {
            error_ = Error{Code::peer_malformed, fmt::format("feed: {}: {} {}", type_, name, what)};
        }
    }

    template <class Message>
    Result<Message> finish(Message message) {
        for (const auto& [key, value] : object_.items()) {
            if (key != "type" && std::ranges::find(taken_, key) == taken_.end()) {
                wrong(key.c_str(), "is not a field of this message");
            }
        }
        if (error_) return std::unexpected(*std::move(error_));
        return message;
    }

private:
    static constexpr std::string_view not_a_serial = "is not a serial number (pairs of hex digits)";

    static bool is_serial(std::string_view text) {
        return !text.empty() && text.size() <= max_serial_digits && text.size() % 2 == 0 &&
               text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
    }

    const Json* take(const char* name) {
        taken_.emplace_back(name);
        const auto found = object_.find(name);
        if (found == object_.end()) return wrong(name, "is missing"), nullptr;
        return &*found;
    }

    const Json& object_;
    std::string_view type_;
    std::vector<std::string> taken_;
    std::optional<Error> error_;
};

Result<Json> parse_object(std::string_view line) {
    if (line.size() > max_line_bytes) {
        return fail(Code::peer_oversize, "feed: a line of {} bytes, at most {} are allowed",
                    line.size(), max_line_bytes);
    }
    Json object = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!object.is_object()) return fail(Code::peer_malformed, "feed: a line is not a JSON object");
    const auto type = object.find("type");
    if (type == object.end() || !type->is_string()) {
        return fail(Code::peer_malformed, "feed: type is missing or not a string");
    }
    return object;
}

std::string line_of(const Json& object) {
    return object.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json json_of(const Hello& hello) {
    return {{"type", "hello"},
            {"v", version},
            {"site", hello.site},
            {"epoch", hello.epoch},
            {"lifetime_ms", hello.lifetime_ms},
            {"issuer", crypto::to_base64(hello.issuer)}};
}
Json json_of(const Device& device) {
    return {{"type", "device"},
            {"seq", device.seq},
            {"id", device.id},
            {"epoch", device.epoch},
            {"grant", grant_name(device.grant)},
            {"state", device.state},
            {"reason", device.reason},
            {"revoked", device.revoked}};
}
Json json_of(const Revocation& revocation) {
    return {{"type", "revocation"},
            {"seq", revocation.seq},
            {"statement", crypto::to_base64(revocation.statement)},
            {"signature", crypto::to_base64(revocation.signature)}};
}
Json json_of(const SnapshotEnd& end) {
    return {{"type", "snapshot_end"},
            {"seq", end.seq},
            {"count", end.count},
            {"head", crypto::to_base64(end.head)},
            {"signature", crypto::to_base64(end.signature)}};
}
Json json_of(const Heartbeat& beat) { return {{"type", "heartbeat"}, {"seq", beat.seq}}; }
Json json_of(const PluginHello& hello) {
    return {{"type", "hello"},
            {"v", version},
            {"pid", hello.pid},
            {"nonce", crypto::to_base64(hello.nonce)}};
}
Json json_of(const Applied& applied) {
    return {{"type", "applied"},
            {"seq", applied.seq},
            {"id", applied.id},
            {"closed", applied.closed},
            {"at_ms", applied.at_ms}};
}
Json json_of(const Sessions& sessions) { return {{"type", "sessions"}, {"ids", sessions.ids}}; }
Json json_of(const Refused& refused) {
    return {{"type", "refused"},
            {"id", refused.id},
            {"why", refused.why},
            {"peer", refused.peer},
            {"serial", refused.serial}};
}
Json json_of(const Connected& connected) {
    return {{"type", "connected"},
            {"id", connected.id},
            {"serial", connected.serial},
            {"peer", connected.peer}};
}
Json json_of(const Disconnected& gone) {
    return {{"type", "disconnected"}, {"id", gone.id}, {"reason", gone.reason}};
}
Json json_of(const Denied& denied) {
    return {
        {"type", "denied"}, {"id", denied.id}, {"access", denied.access}, {"topic", denied.topic}};
}

// Evaluation order of a braced list is left to right: fields are taken, and blamed, in that order.
Result<ToPlugin> hello_from(Fields fields) {
    fields.expect_version("v");
    Hello hello{fields.id("site"), fields.counter("epoch"), fields.whole("lifetime_ms"),
                fields.base64("issuer", max_issuer_bytes)};
    if (hello.lifetime_ms < 1) fields.wrong("lifetime_ms", "is not at least 1");
    return fields.finish(ToPlugin{std::move(hello)});
}

Result<ToPlugin> device_from(Fields fields) {
    Device device{fields.counter("seq"),    fields.id("id"),      fields.counter("epoch"),
                  fields.grant("grant"),    fields.text("state"), fields.text("reason"),
                  fields.serials("revoked")};
    if (device.epoch < 1) fields.wrong("epoch", "is not at least 1");
    return fields.finish(ToPlugin{std::move(device)});
}

Result<FromPlugin> plugin_hello_from(Fields fields) {
    fields.expect_version("v");
    const PluginHello hello{fields.whole("pid"), fields.nonce("nonce")};
    return fields.finish(FromPlugin{hello});
}

}  // namespace

std::string encode(const ToPlugin& message) {
    return line_of(std::visit([](const auto& item) { return json_of(item); }, message));
}

std::string encode(const FromPlugin& message) {
    return line_of(std::visit([](const auto& item) { return json_of(item); }, message));
}

Result<ToPlugin> decode_to_plugin(std::string_view line) {
    QUOIN_TRY(const Json object, parse_object(line));
    const auto type = object["type"].get<std::string>();
    Fields fields(object, type);
    if (type == "hello") return hello_from(std::move(fields));
    if (type == "device") return device_from(std::move(fields));
    if (type == "revocation") {
        Revocation revocation{fields.counter("seq"),
                              fields.base64("statement", max_statement_bytes),
                              fields.base64("signature", max_signature_bytes)};
        return fields.finish(ToPlugin{std::move(revocation)});
    }
    if (type == "snapshot_end") {
        SnapshotEnd end{fields.counter("seq"), fields.counter("count"),
                        fields.base64("head", max_head_bytes),
                        fields.base64("signature", max_signature_bytes)};
        return fields.finish(ToPlugin{std::move(end)});
    }
    if (type == "heartbeat") {
        const Heartbeat beat{fields.counter("seq")};
        return fields.finish(ToPlugin{beat});
    }
    return fail(Code::peer_malformed, "feed: type is not one that quoind sends");
}

Result<FromPlugin> decode_from_plugin(std::string_view line) {
    QUOIN_TRY(const Json object, parse_object(line));
    const auto type = object["type"].get<std::string>();
    Fields fields(object, type);
    if (type == "hello") return plugin_hello_from(std::move(fields));
    if (type == "applied") {
        Applied applied{fields.counter("seq"), fields.id("id"), fields.boolean("closed"),
                        fields.whole("at_ms")};
        return fields.finish(FromPlugin{std::move(applied)});
    }
    if (type == "sessions") {
        Sessions sessions{fields.ids("ids")};
        return fields.finish(FromPlugin{std::move(sessions)});
    }
    if (type == "refused") {
        Refused refused{fields.id("id", true), fields.text("why"), fields.text("peer"),
                        fields.serial("serial")};
        return fields.finish(FromPlugin{std::move(refused)});
    }
    if (type == "connected") {
        Connected connected{fields.id("id"), fields.serial("serial"), fields.text("peer")};
        return fields.finish(FromPlugin{std::move(connected)});
    }
    if (type == "disconnected") {
        Disconnected gone{fields.id("id"), fields.text("reason")};
        return fields.finish(FromPlugin{std::move(gone)});
    }
    if (type == "denied") {
        Denied denied{fields.id("id"), fields.text("access"), fields.text("topic")};
        return fields.finish(FromPlugin{std::move(denied)});
    }
    return fail(Code::peer_malformed, "feed: type is not one that the plugin sends");
}

std::string_view grant_name(Grant grant) {
    switch (grant) {
        case Grant::none:
            return "none";
        case Grant::attest_only:
            return "attest_only";
        case Grant::full:
            return "full";
    }
    return "none";
}

}  // namespace quoin::feed
