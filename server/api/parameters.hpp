// The query of a call: only known names, each value checked, errors that name both.
//
// Threads: plain values.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "host/error.hpp"

namespace quoin::server {

using Query = std::map<std::string, std::string>;

// input_invalid naming the first parameter that is not in `known`.
Result<void> only(const Query& query, std::span<const std::string_view> known);
// Absent or empty: `otherwise`. Not a whole number in [least, most]: input_invalid.
Result<std::int64_t> whole_number(const Query& query, std::string_view name, std::int64_t least,
                                  std::int64_t most, std::int64_t otherwise);
// "true", "1", "false", "0", or empty (false).
Result<bool> truth(const Query& query, std::string_view name);
// An id (I0) or empty.
Result<std::string> id(const Query& query, std::string_view name);

}  // namespace quoin::server
