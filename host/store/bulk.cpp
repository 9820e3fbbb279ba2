#include "host/store/bulk.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace quoin::store {
namespace {

std::size_t rows_of(const Column& column) {
    return std::visit([](const auto& values) { return values.size(); }, column.values);
}

// The text form of an array: {1,2} or {"a","b"} (PostgreSQL 17, section 8.15.6).
std::string array_text(const std::vector<std::int64_t>& values) {
    return fmt::format("{{{}}}", fmt::join(values, ","));
}

std::string array_text(const std::vector<std::string>& values) {
    std::string out = "{";
    for (const std::string& value : values) {
        if (out.size() > 1) out += ',';
        out += '"';
        for (const char character : value) {
            if (character == '"' || character == '\\') out += '\\';
            out += character;
        }
        out += '"';
    }
    return out + "}";
}

std::string_view array_type(const Column& column) {
    return std::holds_alternative<std::vector<std::int64_t>>(column.values) ? "bigint[]" : "text[]";
}

std::int64_t execute(soci::statement& statement, const std::string& sql) {
    statement.alloc();
    statement.prepare(sql);
    statement.define_and_bind();
    statement.execute(true);
    return statement.get_affected_rows();
}

}  // namespace

std::int64_t insert_new(soci::session& session, std::string_view table,
                        std::span<const Column> columns) {
    if (columns.empty() || rows_of(columns.front()) == 0) return 0;
    std::vector<std::string> names;
    std::vector<std::string> places;
    for (const Column& column : columns) {
        if (rows_of(column) != rows_of(columns.front())) {
            // tidy: allow(banned-call) because a statement fails by SOCI's exception, as all do.
            throw soci::soci_error(fmt::format("insert into {}: column {} has {} values, {} has {}",
                                               table, column.name, rows_of(column),
                                               columns.front().name, rows_of(columns.front())));
        }
        names.emplace_back(column.name);
        places.push_back(fmt::format(":p{}", places.size()));
    }
    soci::statement statement(session);
    if (session.get_backend_name() == "sqlite3") {
        for (const Column& column : columns) {
            std::visit([&](const auto& values) { statement.exchange(soci::use(values)); },
                       column.values);
        }
        return execute(statement,
                       fmt::format("INSERT INTO {} ({}) VALUES ({}) ON CONFLICT DO NOTHING", table,
                                   fmt::join(names, ", "), fmt::join(places, ", ")));
    }
    std::vector<std::string> arrays;
    arrays.reserve(columns.size());  // bound by address
    for (std::size_t i = 0; i < columns.size(); ++i) {
        std::visit([&](const auto& values) { arrays.push_back(array_text(values)); },
                   columns[i].values);
        statement.exchange(soci::use(arrays.back()));
        places[i] = fmt::format("CAST({} AS {})", places[i], array_type(columns[i]));
    }
    return execute(
        statement,
        fmt::format("INSERT INTO {} ({}) SELECT * FROM unnest({}) ON CONFLICT DO NOTHING", table,
                    fmt::join(names, ", "), fmt::join(places, ", ")));
}

}  // namespace quoin::store
