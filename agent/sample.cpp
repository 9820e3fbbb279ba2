#include "agent/sample.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

namespace quoin::agent {
namespace {

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_name_character(char c) { return is_lower(c) || (c >= '0' && c <= '9') || c == '_'; }

// Whole numbers without a point, so that a counter reads like one.
nlohmann::json number_json(double number) {
    constexpr double exact = 9007199254740992.0;  // 2^53
    if (std::trunc(number) == number && std::abs(number) < exact) {
        return static_cast<std::int64_t>(number);
    }
    return number;
}

Result<nlohmann::json> value_json(const std::string& name, const fieldbus::Value& value) {
    if (const bool* truth = std::get_if<bool>(&value)) return nlohmann::json(*truth);
    if (const double* number = std::get_if<double>(&value)) {
        if (!std::isfinite(*number)) {
            return fail(Code::input_invalid, "value {}: not a finite number", name);
        }
        return number_json(*number);
    }
    const std::string& text = std::get<std::string>(value);
    if (text.size() > max_text_bytes) {
        return fail(Code::input_invalid, "value {}: a text of {} bytes; {} are possible", name,
                    text.size(), max_text_bytes);
    }
    return nlohmann::json(text);
}

}  // namespace

bool is_sample_time(std::int64_t ts_ms, std::int64_t now_ms) {
    constexpr std::int64_t year_2000_ms = 946'684'800'000;
    constexpr std::int64_t day_ms = 86'400'000;
    return ts_ms >= year_2000_ms && ts_ms <= now_ms + day_ms;
}

bool is_stream_name(std::string_view name) {
    return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, is_name_character);
}

bool is_value_name(std::string_view name) { return is_stream_name(name) && is_lower(name.front()); }

Result<std::string> values_json(const Sample& sample) {
    if (!is_stream_name(sample.stream)) {
        return fail(Code::input_invalid, "stream \"{}\": only a-z, 0-9 and _, 1 to 64 of them",
                    sample.stream);
    }
    if (sample.values.empty() || sample.values.size() > max_values) {
        return fail(Code::input_invalid, "stream {}: {} values; 1 to {} are possible",
                    sample.stream, sample.values.size(), max_values);
    }
    nlohmann::json object = nlohmann::json::object();
    for (const auto& [name, value] : sample.values) {
        if (!is_value_name(name)) {
            return fail(Code::input_invalid, "stream {}: \"{}\" is no name of a value",
                        sample.stream, name);
        }
        QUOIN_TRY(object[name], value_json(name, value));
    }
    // Texts come from the configuration or are made by us, but may still not be UTF-8.
    return object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string message_json(std::uint64_t seq, std::uint64_t low, std::int64_t ts_ms,
                         std::string_view values) {
    return fmt::format(R"({{"seq":{},"low":{},"ts":{},"values":{}}})", seq, low, ts_ms, values);
}

Result<std::uint64_t> parse_ack(std::string_view payload) {
    if (payload.size() > max_ack_bytes) {
        return fail(Code::peer_oversize, "ack of {} bytes; {} are the limit", payload.size(),
                    max_ack_bytes);
    }
    const auto ack = nlohmann::json::parse(payload, nullptr, false);
    if (!ack.is_object() || ack.size() != 1 || !ack.contains("seq") ||
        !ack["seq"].is_number_unsigned()) {
        return fail(Code::peer_malformed, "ack: not {{\"seq\":N}}");
    }
    const auto seq = ack["seq"].get<std::uint64_t>();
    if (seq > max_sequence) {
        return fail(Code::peer_malformed, "ack: seq {} is over 2^53-1", seq);
    }
    return seq;
}

}  // namespace quoin::agent
