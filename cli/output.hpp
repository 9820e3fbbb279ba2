// What commands print: tables for people, JSON for programs, a progress bar on a terminal.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "cli/context.hpp"

namespace quoin::cli {

// Columns of a table: a title, and the field of each row's object that it shows.
struct Column {
    std::string title;
    std::string field;
};

// Rows are JSON objects. A missing field or null is "-"; fields ending in _ms are shown as UTC
// times.
std::string table(const std::vector<Column>& columns, const nlohmann::json& rows);
// "name: value" lines, aligned, nested objects and lists as JSON.
std::string sheet(const nlohmann::json& object);
// The value as one word or sentence.
std::string plain(const nlohmann::json& value);
// 2026-11-22T10:48:21.042Z
std::string utc(std::int64_t ms);
// One audit event: time, number, severity, id, subject, details.
std::string event_line(const nlohmann::json& event);
void print_json(const nlohmann::json& value);
// Without control characters: what a device or a peer wrote must not steer the terminal.
std::string printable(std::string_view text);

// A bar on stderr when that is a terminal and --json was not asked for; else silent.
class Progress {
public:
    Progress(const Context& context, std::string label, std::uint64_t total);
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;
    ~Progress();
    // `total` 0 at the start: a running count.
    void show(std::uint64_t done);

private:
    std::string label_;
    std::uint64_t total_;
    std::uint64_t shown_ = 0;
    bool visible_;
};

}  // namespace quoin::cli
