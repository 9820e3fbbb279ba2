#include "server/telemetry/sample.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "host/x509/identity.hpp"

namespace quoin::telemetry {
namespace {

using Json = nlohmann::json;

bool is_stream(std::string_view text) {
    if (text.empty() || text.size() > max_text_size) return false;
    for (const char c : text) {
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_')) return false;
    }
    return true;
}

bool is_key(std::string_view text) { return is_stream(text) && text[0] >= 'a' && text[0] <= 'z'; }

// Collects the fields of a sample from the events of nlohmann's JSON and CBOR parsers. A method
// that returns false ends the parse.
class SampleSax {
public:
    explicit SampleSax(Sample& sample) : sample_(sample) {}

    bool start_object(std::size_t) {
        if (depth_ == 0 || (depth_ == 1 && field_ == Field::values)) {
            if (++depth_ == 2) sample_.values_json = '{';
            return true;
        }
        return refuse("must not be an object");
    }
    bool end_object() {
        if (depth_-- == 2) sample_.values_json += '}';
        return true;
    }
    bool key(std::string& name) { return depth_ == 1 ? root_key(name) : value_key(name); }
    bool null() { return refuse("must not be null"); }
    bool boolean(bool value) {
        if (depth_ != 2) return refuse("must be an integer");
        sample_.values_json += value ? "true" : "false";
        return true;
    }
    bool number_unsigned(std::uint64_t value) {
        if (depth_ == 2) return append_number(value);
        switch (field_) {
            case Field::seq:
                sample_.seq = value;
                return true;
            case Field::low:
                sample_.low = value;
                return true;
            case Field::ts:
                if (value > max_seq) return refuse("out of range");
                sample_.ts_ms = static_cast<std::int64_t>(value);
                return true;
            case Field::values:
            case Field::none:
                break;
        }
        return refuse("must be an object");
    }
    bool number_integer(std::int64_t value) {
        return depth_ == 2 ? append_number(value) : refuse("out of range");
    }
    bool number_float(double value, const std::string&) {
        if (depth_ != 2) return refuse("must be an integer");
        return std::isfinite(value) ? append_number(value) : refuse("must be finite");
    }
    bool string(std::string& text) {
        if (depth_ != 2) return refuse("must be an integer");
        if (text.size() > max_text_size) return refuse("longer than 64 bytes");
        return append_text(text);
    }
    bool binary(std::vector<std::uint8_t>&) { return refuse("must not be a byte string"); }
    bool start_array(std::size_t) { return refuse("must not be an array"); }
    bool end_array() { return false; }
    bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) {
        if (problem_.empty()) problem_ = fmt::format("cannot be parsed at byte {}", position);
        return false;
    }

    const std::string& problem() const { return problem_; }
    bool has_all() const { return seen_ == 0b1111; }
    std::size_t value_count() const { return value_count_; }

private:
    enum class Field : std::uint8_t { seq, low, ts, values, none };
    static constexpr std::array<std::string_view, 4> names{"seq", "low", "ts", "values"};

    bool refuse(std::string_view what) {
        if (depth_ == 2) {
            problem_ = fmt::format("values.{}: {}", key_at(value_count_ - 1), what);
        } else if (field_ != Field::none) {
            problem_ = fmt::format("{}: {}", names[static_cast<std::size_t>(field_)], what);
        } else {
            problem_ = what;
        }
        return false;
    }

    bool root_key(std::string_view name) {
        for (std::size_t i = 0; i < names.size(); ++i) {
            if (names[i] != name) continue;
            field_ = static_cast<Field>(i);
            const unsigned bit = 1U << i;
            if ((seen_ & bit) != 0) return refuse("there twice");
            seen_ |= bit;
            return true;
        }
        field_ = Field::none;
        return refuse("unknown field");
    }

    std::string_view key_at(std::size_t i) const {
        return std::string_view(sample_.values_json).substr(keys_[i].at, keys_[i].size);
    }

    bool value_key(const std::string& name) {
        if (value_count_ == max_values) {
            problem_ = "values: more than 32 entries";
            return false;
        }
        if (!is_key(name)) {
            problem_ = "values: a key is not [a-z][a-z0-9_]{0,63}";
            return false;
        }
        for (std::size_t i = 0; i < value_count_; ++i) {
            if (key_at(i) != name) continue;
            problem_ = fmt::format("values.{}: there twice", name);
            return false;
        }
        std::string& out = sample_.values_json;
        if (value_count_ != 0) out += ',';
        out += '"';
        keys_[value_count_++] = {static_cast<std::uint16_t>(out.size()),
                                 static_cast<std::uint16_t>(name.size())};
        out += name;
        out += "\":";
        return true;
    }

    template <class Number>
    bool append_number(Number value) {
        std::array<char, 32> room{};  // the longest double has 24 characters
        const auto written = std::to_chars(room.data(), room.data() + room.size(), value);
        sample_.values_json.append(room.data(), written.ptr);
        return true;
    }

    bool append_text(const std::string& text) {
        std::string& out = sample_.values_json;
        const auto plain = [](char c) { return c >= 0x20 && c < 0x7F && c != '"' && c != '\\'; };
        if (std::ranges::all_of(text, plain)) {
            out += '"';
            out += text;
            out += '"';
            return true;
        }
        try {
            out += Json(text).dump();
        } catch (const Json::type_error&) {  // CBOR text is not checked by the parser
            return refuse("is not UTF-8");
        }
        return true;
    }

    Sample& sample_;
    std::string problem_;
    // Where each key lies in values_json.
    struct Place {
        std::uint16_t at;
        std::uint16_t size;
    };
    std::array<Place, max_values> keys_{};
    std::size_t value_count_ = 0;
    int depth_ = 0;
    Field field_ = Field::none;
    unsigned seen_ = 0;
};

Result<void> check_sequence(const Sample& sample) {
    if (sample.seq < 1 || sample.seq > max_seq) {
        return fail(Code::peer_malformed, "seq: {} is not 1 .. 2^53-1", sample.seq);
    }
    if (sample.low < 1 || sample.low > sample.seq) {
        return fail(Code::peer_malformed, "low: {} is not 1 .. seq ({})", sample.low, sample.seq);
    }
    return {};
}

Result<void> check_time(const Sample& sample, std::int64_t now_ms) {
    if (sample.ts_ms < earliest_ms || sample.ts_ms > now_ms + day_ms) {
        return fail(Code::peer_malformed, "ts: {} is not 2000-01-01 .. now + 1 day in milliseconds",
                    sample.ts_ms);
    }
    return {};
}

}  // namespace

Result<TelemetryTopic> parse_topic(std::string_view topic, std::string_view site) {
    constexpr std::string_view prefix = "quoin/";
    constexpr std::string_view middle = "/telemetry/";
    const auto wrong = [](std::string_view what) {
        return fail(Code::peer_malformed, "topic: {}", what);
    };
    if (!topic.starts_with(prefix)) return wrong("does not begin with quoin/");
    topic.remove_prefix(prefix.size());
    if (!topic.starts_with(site) || topic.size() <= site.size() || topic[site.size()] != '/') {
        return wrong("is of another site");
    }
    topic.remove_prefix(site.size() + 1);
    const auto slash = topic.find('/');
    if (slash == std::string_view::npos || !topic.substr(slash).starts_with(middle)) {
        return wrong("is not DEVICE/telemetry/STREAM after the site");
    }
    const TelemetryTopic parts{topic.substr(0, slash), topic.substr(slash + middle.size())};
    if (!x509::is_valid_id(parts.device))
        return wrong("the device id is not [A-Za-z0-9_.-]{1,128}");
    if (!is_stream(parts.stream)) return wrong("the stream is not [a-z0-9_]{1,64}");
    return parts;
}

Result<Sample*> SampleParser::parse(Bytes payload, std::int64_t now_ms) {
    untimely_ = false;
    if (payload.size() > max_sample_size) {
        return fail(Code::peer_oversize, "sample of {} bytes: the limit is {}", payload.size(),
                    max_sample_size);
    }
    if (payload.empty()) return fail(Code::peer_malformed, "sample is empty");
    const bool is_cbor = payload[0] >> 5U == 5;  // a map: 0xA0 .. 0xBF
    SampleSax sax(sample_);
    const bool parsed =
        Json::sax_parse(payload.begin(), payload.end(), &sax,
                        is_cbor ? Json::input_format_t::cbor : Json::input_format_t::json);
    if (!parsed || !sax.problem().empty()) return fail(Code::peer_malformed, "{}", sax.problem());
    if (!sax.has_all()) {
        return fail(Code::peer_malformed, "sample: seq, low, ts and values are all needed");
    }
    if (sax.value_count() == 0) return fail(Code::peer_malformed, "values: is empty");
    QUOIN_CHECK(check_sequence(sample_));
    const auto timely = check_time(sample_, now_ms);
    untimely_ = !timely;
    QUOIN_CHECK(timely);
    return &sample_;
}

}  // namespace quoin::telemetry
