// What differs between SQLite and PostgreSQL below a transaction: connecting, beginning, ending,
// and what an error means. Private to host/store.
#pragma once

#include <soci/soci.h>

#include <string>
#include <string_view>

#include "host/error.hpp"
#include "host/store/database.hpp"

namespace quoin::store {

// How long a transaction waits for the write lock or a connection before it is refused.
inline constexpr int wait_limit_ms = 10'000;

struct Target {
    Backend backend;
    std::string connect_string;  // for SOCI; may hold a password: never printed
    std::string label;           // for errors: never holds a password
};

// Parses the URL. Errors never repeat a part of it that could be a password.
Result<Target> parse_target(std::string_view url);

// The error of a statement, with the database's own words and none of the values bound to it.
Error explain(const Target& target, soci::session& session, const soci::soci_error& error);

// These throw what SOCI throws.
Result<void> connect(const Target& target, soci::session& session);
void begin(const Target& target, soci::session& session, bool write);
Result<void> commit(const Target& target, soci::session& session, bool write);

// Whether the connection is gone for good, so that only a new one helps.
bool is_lost(const Target& target, soci::session& session) noexcept;
// Ends whatever is open without throwing; a connection that cannot be brought back to rest is
// closed.
void settle(const Target& target, soci::session& session) noexcept;

}  // namespace quoin::store
