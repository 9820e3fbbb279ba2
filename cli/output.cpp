#include "cli/output.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

namespace quoin::cli {
namespace {

constexpr std::uint64_t bar_width = 30;

std::string shown(const std::string& name, const nlohmann::json& value) {
    if (name.ends_with("_ms") && value.is_number_integer() &&
        value.get<std::int64_t>() > 1'000'000'000) {
        return utc(value.get<std::int64_t>());
    }
    return plain(value);
}

}  // namespace

std::string printable(std::string_view text) {
    std::string clean;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        clean += byte < 0x20 || byte == 0x7f ? '?' : c;
    }
    return clean;
}

std::string plain(const nlohmann::json& value) {
    if (value.is_null()) return "-";
    if (value.is_string()) {
        const auto text = value.get<std::string>();
        return text.empty() ? "-" : printable(text);
    }
    return value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

std::string utc(std::int64_t ms) {
    const std::time_t seconds = ms / 1000;
    std::tm parts{};
    if (gmtime_r(&seconds, &parts) == nullptr) return std::to_string(ms);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900,
                       parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                       ms % 1000);
}

std::string table(const std::vector<Column>& columns, const nlohmann::json& rows) {
    std::vector<std::vector<std::string>> cells;
    std::vector<std::size_t> widths;
    widths.reserve(columns.size());
    for (const Column& column : columns) widths.push_back(column.title.size());
    for (const auto& row : rows) {
        std::vector<std::string> line;
        for (std::size_t i = 0; i < columns.size(); ++i) {
            const std::string& field = columns[i].field;
            line.push_back(row.contains(field) ? shown(field, row[field]) : "-");
            widths[i] = std::max(widths[i], line.back().size());
        }
        cells.push_back(std::move(line));
    }
    std::string text;
    const auto add_line = [&](const auto& texts) {
        std::string line;
        for (std::size_t i = 0; i < columns.size(); ++i) {
            line += fmt::format("{:<{}}  ", texts(i), widths[i]);
        }
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + '\n';
    };
    add_line([&](std::size_t i) { return columns[i].title; });
    for (const auto& line : cells) add_line([&](std::size_t i) { return line[i]; });
    return text;
}

std::string sheet(const nlohmann::json& object) {
    std::size_t width = 0;
    for (const auto& [name, value] : object.items()) width = std::max(width, name.size());
    std::string text;
    for (const auto& [name, value] : object.items()) {
        if (value.is_array() && !value.empty() && value.front().is_object()) {
            text += name + ":\n";
            for (const auto& entry : value) {
                std::string line;
                for (const auto& [field, inner] : entry.items()) {
                    line += fmt::format("{}{}={}", line.empty() ? "  " : " ", field,
                                        shown(field, inner));
                }
                text += line + '\n';
            }
        } else {
            text += fmt::format("{:<{}}  {}\n", name + ":", width + 1, shown(name, value));
        }
    }
    return text;
}

std::string event_line(const nlohmann::json& event) {
    // RFC 5424, section 6.2.1.
    constexpr std::array severities{"emergency", "alert",  "critical", "error",
                                    "warning",   "notice", "info",     "debug"};
    const auto severity = event.value("severity", std::size_t{7});
    std::string line =
        fmt::format("{} #{:<5} {:<9} {:<28} {}", utc(event.value("time_ms", std::int64_t{0})),
                    event.value("number", std::uint64_t{0}),
                    severities[std::min(severity, severities.size() - 1)],
                    printable(event.value("id", "")), printable(event.value("subject", "")));
    const auto detail = event.value("detail", nlohmann::json::object());
    for (const auto& [name, value] : detail.items()) {
        line += fmt::format(" {}={}", name, plain(value));
    }
    return line;
}

void print_json(const nlohmann::json& value) {
    fmt::print("{}\n", value.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
}

Progress::Progress(const Context& context, std::string label, std::uint64_t total)
    : label_(std::move(label)),
      total_(total),
      visible_(!context.json && isatty(STDERR_FILENO) != 0) {
    show(0);
}

Progress::~Progress() {
    if (visible_) fmt::print(stderr, "\r\033[K");
}

void Progress::show(std::uint64_t done) {
    if (!visible_) return;
    if (total_ == 0) {
        if (done != 0 && done < shown_ + 100) return;
        fmt::print(stderr, "\r{} {}\033[K", label_, done);
    } else {
        const std::uint64_t filled = std::min(done, total_) * bar_width / total_;
        if (done != 0 && done < total_ && filled == shown_ * bar_width / total_) return;
        fmt::print(stderr, "\r{} [{:<{}}] {}/{}\033[K", label_, std::string(filled, '#'), bar_width,
                   done, total_);
    }
    shown_ = done;
    std::fflush(stderr);
}

}  // namespace quoin::cli
