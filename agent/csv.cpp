#include "agent/csv.hpp"

#include <charconv>
#include <chrono>
#include <cmath>
#include <optional>

namespace quoin::agent {
namespace {

template <class Number>
std::optional<Number> number_of(std::string_view text) {
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

// YYYY-MM-DD HH:MM:SS at fixed places.
std::optional<std::int64_t> time_of(std::string_view text) {
    constexpr std::string_view shape = "dddd-dd-dd dd:dd:dd";
    if (text.size() != shape.size()) return std::nullopt;
    for (std::size_t i = 0; i < shape.size(); ++i) {
        const bool digit = text[i] >= '0' && text[i] <= '9';
        const bool separator = text[i] == shape[i] || (shape[i] == ' ' && text[i] == 'T');
        if (shape[i] == 'd' ? !digit : !separator) return std::nullopt;
    }
    const auto part = [text](std::size_t at, std::size_t size) {
        return *number_of<unsigned>(text.substr(at, size));
    };
    using namespace std::chrono;
    const year_month_day date{year{static_cast<int>(part(0, 4))}, month{part(5, 2)},
                              day{part(8, 2)}};
    if (!date.ok() || part(11, 2) > 23 || part(14, 2) > 59 || part(17, 2) > 59) return std::nullopt;
    const auto time =
        sys_days{date} + hours{part(11, 2)} + minutes{part(14, 2)} + seconds{part(17, 2)};
    return duration_cast<milliseconds>(time.time_since_epoch()).count();
}

}  // namespace

Result<CsvRow> parse_csv_line(std::string_view line) {
    if (line.size() > max_csv_line_bytes) {
        return fail(Code::input_invalid, "a line of {} bytes; {} are the limit", line.size(),
                    max_csv_line_bytes);
    }
    if (line.ends_with('\r')) line.remove_suffix(1);
    const auto comma = line.find(',');
    if (comma == std::string_view::npos) {
        return fail(Code::input_invalid, "no comma; a line is timestamp,value");
    }
    const auto ts_ms = time_of(line.substr(0, comma));
    if (!ts_ms) {
        return fail(Code::input_invalid, "the timestamp is not YYYY-MM-DD HH:MM:SS");
    }
    const auto value = number_of<double>(line.substr(comma + 1));
    if (!value || !std::isfinite(*value)) {
        return fail(Code::input_invalid, "the value is not a finite decimal number");
    }
    return CsvRow{*ts_ms, *value};
}

}  // namespace quoin::agent
