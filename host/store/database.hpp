// A database by URL: SQLite (default) or PostgreSQL, through SOCI. The same SQL runs on both.
//
//   sqlite:///absolute/path.sqlite          WAL, synchronous=FULL, one writer at a time, foreign
//   keys on postgresql://user:password@host:port/database
//
// Errors: a failing statement rolls its transaction back and is resource_unavailable (connection,
// busy), resource_full (disk) or input_conflict (unique or foreign key), with the database's own
// words; input_invalid when a value does not fit its column, integrity_mismatch when the file is
// damaged. No error repeats the password of the URL or a value that was bound. Write transactions
// are serial on both backends (SQLite: BEGIN IMMEDIATE; PostgreSQL: an advisory lock), reads see
// one snapshot. A lost connection is made anew by the next transaction. Binary columns: base64 in
// TEXT (SOCI's blobs are large objects in PostgreSQL). Many rows: bulk.hpp. Threads: any; each
// transaction takes a connection from the pool and waits for one, at most 10 s.
#pragma once

#include <soci/soci.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "host/error.hpp"

namespace quoin::store {

enum class Backend : std::uint8_t { sqlite, postgresql };

struct Migration {
    int version;  // 1, 2, 3 … without gaps
    std::string_view
        sql;  // statements separated by ";\n"; @WITHOUT_ROWID@ is dropped on PostgreSQL
};

class Database {
public:
    static Result<std::unique_ptr<Database>> open(std::string_view url,
                                                  std::size_t connections = 4);
    ~Database();
    Backend backend() const;

    // Brings the schema to the newest version, all or nothing. A database newer than the program is
    // state_wrong.
    Result<void> migrate(std::span<const Migration> migrations);

    // Runs `work` in one write transaction and commits if it returns a value; an error or an
    // exception of SOCI rolls back. `work` runs at most once. Never nest: Code::internal.
    template <class Work>
    auto transaction(Work&& work) -> std::invoke_result_t<Work, soci::session&> {
        return run<std::invoke_result_t<Work, soci::session&>>(true, std::forward<Work>(work));
    }
    // The same without the write lock; a statement that writes fails.
    template <class Work>
    auto read(Work&& work) -> std::invoke_result_t<Work, soci::session&> {
        return run<std::invoke_result_t<Work, soci::session&>>(false, std::forward<Work>(work));
    }

private:
    struct State;
    explicit Database(std::unique_ptr<State> state);
    // Begins, calls `body`, which says whether to commit, and ends the transaction.
    Result<void> run_erased(bool write, const std::function<bool(soci::session&)>& body);

    template <class Returned, class Work>
    Returned run(bool write, Work&& work) {
        std::optional<Returned> returned;
        auto ran = run_erased(write, [&](soci::session& session) {
            returned.emplace(work(session));
            return returned->has_value();
        });
        if (!ran) return std::unexpected(std::move(ran).error());
        return *std::move(returned);
    }

    std::unique_ptr<State> state_;
};

}  // namespace quoin::store
