// Lines of a "timestamp,value" file.
//
//   2013-12-02 21:15:00,73.96732207
//
// Times are taken as UTC: YYYY-MM-DD HH:MM:SS, 'T' instead of the space allowed. The value is a
// decimal number. Nothing else may be on the line but a carriage return at its end. Threads: pure
// functions.
#pragma once

#include <cstdint>
#include <string_view>

#include "host/error.hpp"

namespace quoin::agent {

inline constexpr std::size_t max_csv_line_bytes = 256;

struct CsvRow {
    std::int64_t ts_ms;  // UTC
    double value;        // finite
};

Result<CsvRow> parse_csv_line(std::string_view line);

}  // namespace quoin::agent
