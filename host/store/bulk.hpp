// Many rows in one statement: one prepared statement over bound vectors on SQLite, one INSERT from
// arrays on PostgreSQL (one round trip instead of one a row).
#pragma once

#include <soci/soci.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace quoin::store {

// One column of the rows to insert. Names come from the program, never from input.
struct Column {
    std::string_view name;
    std::variant<std::vector<std::int64_t>, std::vector<std::string>> values;
};

// Inserts the rows; those whose key is there already are left as they are. Returns how many are
// new. All columns have as many values as there are rows. Inside a write transaction only; throws
// soci::soci_error as every statement does.
std::int64_t insert_new(soci::session& session, std::string_view table,
                        std::span<const Column> columns);

}  // namespace quoin::store
