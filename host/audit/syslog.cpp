#include "host/audit/syslog.hpp"

#include <unistd.h>

#include <array>
#include <chrono>
#include <nlohmann/json.hpp>

#include "host/audit/line_reader.hpp"

namespace quoin::audit {
namespace {

constexpr int facility = 13;  // RFC 5424, table 1: log audit

// RFC 5424, section 6.3.3: ", \ and ] are escaped.
std::string parameter(std::string_view name, std::string_view value) {
    std::string out = fmt::format(" {}=\"", name);
    for (const char character : value) {
        if (character == '"' || character == '\\' || character == ']') out += '\\';
        out += character;
    }
    return out + '"';
}

// A text without the quotes of JSON, any other value as it is.
std::string plain_value(const nlohmann::ordered_json& value) {
    std::string text = value.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace);
    return value.is_string() ? text.substr(1, text.size() - 2) : text;
}

std::string structured_data(const Line& line) {
    const Event& event = line.event;
    std::string out = fmt::format("[{} number=\"{}\"", structured_data_id, event.number);
    if (!event.subject.empty()) out += parameter("subject", event.subject);
    if (event.id == Id::audit_chain_checkpoint) {
        return out + parameter("head", crypto::to_hex(line.previous)) + "]";
    }
    const auto detail = nlohmann::ordered_json::parse(event.detail, nullptr, false);
    for (const auto& [name, value] : detail.items()) {
        const std::string next = parameter(name, plain_value(value));
        constexpr std::size_t others = 500;  // header, message, the mark
        if (out.size() + next.size() + others > max_syslog_bytes)
            return out + " truncated=\"true\"]";
        out += next;
    }
    return out + "]";
}

std::string plain_host(std::string_view host) {
    std::string out;
    for (const char character : host.substr(0, 255)) {
        if (character > ' ' && character <= '~') out += character;
    }
    return out.empty() ? "-" : out;
}

}  // namespace

std::string utc_text(std::int64_t time_ms) {
    // By hand: fmt counts in nanoseconds, which end in the year 2262.
    const std::chrono::sys_time<std::chrono::milliseconds> time{std::chrono::milliseconds(time_ms)};
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss clock{time - day};
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                       clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                       clock.subseconds().count());
}

std::string host_name() {
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0) return "-";
    return plain_host(name.data());
}

std::string to_syslog(const Line& line, std::string_view host) {
    const CatalogueRow& kind = row(line.event.id);
    return fmt::format("<{}>1 {} {} quoin - {} {} {}",
                       facility * 8 + static_cast<int>(line.event.severity),
                       utc_text(line.event.time_ms), plain_host(host), kind.name,
                       structured_data(line), kind.meaning);
}

Result<void> each_line(const std::filesystem::path& file,
                       const std::function<Result<void>(const Line&)>& use) {
    QUOIN_TRY(LineReader reader, LineReader::open(file));
    for (std::uint64_t number = 1;; ++number) {
        QUOIN_TRY(const auto text, reader.next());
        if (!text) return {};
        const auto line = decode(*text);
        if (!line)
            return fail(line.error().code, "{}: line {}: {}", file.string(), number,
                        line.error().message);
        QUOIN_CHECK(use(*line));
    }
}

}  // namespace quoin::audit
