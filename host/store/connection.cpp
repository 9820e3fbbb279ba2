#include "host/store/connection.hpp"
#include "host/percent.hpp"

#include <fcntl.h>
#include <soci/postgresql/soci-postgresql.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>

namespace quoin::store {
namespace {

constexpr std::string_view sqlite_prefix = "sqlite://";

sqlite_api::sqlite3* sqlite_handle(soci::session& session) {
    auto* backend = static_cast<soci::sqlite3_session_backend*>(session.get_backend());
    return backend == nullptr ? nullptr : backend->conn_;
}

PGconn* postgresql_handle(soci::session& session) {
    auto* backend = static_cast<soci::postgresql_session_backend*>(session.get_backend());
    return backend == nullptr ? nullptr : backend->conn_;
}

Result<Target> parse_sqlite(std::string_view url) {
    const std::string path(url.substr(sqlite_prefix.size()));
    if (!path.starts_with('/') || path.ends_with('/')) {
        return fail(Code::config_invalid,
                    "database URL {}: sqlite needs an absolute path: sqlite:///folder/file.sqlite",
                    url);
    }
    // SOCI reads "key=value" words out of what it connects to.
    if (path.contains('=') && path.contains(' ')) {
        return fail(Code::config_invalid,
                    "database URL {}: the path may not hold both a space and '='", url);
    }
    return Target{.backend = Backend::sqlite, .connect_string = path, .label = path};
}

struct ConninfoDeleter {
    void operator()(PQconninfoOption* options) const noexcept { PQconninfoFree(options); }
};

bool is_local(std::string_view host) {
    return host.empty() || host.starts_with('/') || host == "localhost" || host == "::1" ||
           host.starts_with("127.");
}

Result<Target> parse_postgresql(std::string_view url) {
    const auto malformed = [] {
        return fail(Code::config_invalid,
                    "the database URL cannot be read (it is not shown: it may hold a password): "
                    "expected postgresql://USER:PASSWORD@HOST:PORT/DATABASE with the characters "
                    "@ : / ? # % & and space in a part written as %XX");
    };
    // An unescaped @ in a password would become part of the host's name, and be printed with it.
    const std::string text(url);
    if (std::ranges::count(text, '@') > 1) return malformed();
    char* reason = nullptr;
    const std::unique_ptr<PQconninfoOption, ConninfoDeleter> options(
        PQconninfoParse(text.c_str(), &reason));
    PQfreemem(reason);
    if (!options) return malformed();
    std::map<std::string, std::string> values;
    for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
        if (option->val != nullptr) values[option->keyword] = option->val;
    }
    values.try_emplace("connect_timeout", "10");
    values.try_emplace("application_name", "quoin");
    // The network is hostile: libpq's own default falls back to clear text.
    if (!is_local(values["host"])) values.try_emplace("sslmode", "verify-full");
    Target target{.backend = Backend::postgresql, .connect_string = {}, .label = {}};
    // All in the query and escaped: SOCI splits what it is given at spaces, even inside quotes.
    for (const auto& [name, value] : values) {
        target.connect_string +=
            fmt::format("{}{}={}", target.connect_string.empty() ? "postgresql://?" : "&", name,
                        percent_encode(value));
    }
    target.label = fmt::format("postgresql database {} at {}", values["dbname"], values["host"]);
    return target;
}

Code sqlite_code(sqlite_api::sqlite3* handle, int result) {
    if (handle != nullptr && sqlite_api::sqlite3_system_errno(handle) == ENOSPC &&
        (result & 0xff) == SQLITE_IOERR) {
        return Code::resource_full;
    }
    switch (result & 0xff) {
        case SQLITE_FULL:
            return Code::resource_full;
        case SQLITE_CONSTRAINT:
            return result == SQLITE_CONSTRAINT_NOTNULL || result == SQLITE_CONSTRAINT_CHECK ||
                           result == SQLITE_CONSTRAINT_DATATYPE
                       ? Code::input_invalid
                       : Code::input_conflict;
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return Code::integrity_mismatch;
        case SQLITE_TOOBIG:
            return Code::input_invalid;
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
        case SQLITE_IOERR:
        case SQLITE_CANTOPEN:
        case SQLITE_PERM:
        case SQLITE_PROTOCOL:
        case SQLITE_NOMEM:
            return Code::resource_unavailable;
        default:
            return Code::internal;
    }
}

// Classes of SQLSTATE: PostgreSQL 17, appendix A.
Code postgresql_code(std::string_view state) {
    if (state == "53100") return Code::resource_full;
    if (state == "23505" || state == "23503" || state == "23P01") return Code::input_conflict;
    if (state.starts_with("22") || state.starts_with("23")) return Code::input_invalid;
    if (state.starts_with("XX001") || state.starts_with("XX002")) return Code::integrity_mismatch;
    for (const std::string_view unavailable : {"08", "53", "55", "57", "58", "40"}) {
        if (state.starts_with(unavailable)) return Code::resource_unavailable;
    }
    return Code::internal;
}

Result<void> make_private_file(const Target& target) {
    const auto folder = std::filesystem::path(target.connect_string).parent_path();
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
        return fail(Code::resource_unavailable, "{}: cannot make its folder: {}", target.label,
                    std::strerror(errno));
    }
    const int file = ::open(target.connect_string.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0) {
        return fail(Code::resource_unavailable, "{}: cannot open it: {}", target.label,
                    std::strerror(errno));
    }
    ::close(file);
    return {};
}

Result<void> set_up_sqlite(const Target& target, soci::session& session) {
    sqlite_api::sqlite3_busy_timeout(sqlite_handle(session), wait_limit_ms);
    sqlite_api::sqlite3_extended_result_codes(sqlite_handle(session), 1);
    std::string mode;
    session << "PRAGMA journal_mode=WAL", soci::into(mode);
    if (mode != "wal") {
        return fail(Code::resource_unavailable,
                    "{}: its file system cannot hold a write-ahead log; use a local disk",
                    target.label);
    }
    session << "PRAGMA synchronous=FULL";
    session << "PRAGMA foreign_keys=ON";
    session << "PRAGMA trusted_schema=OFF";
    return {};
}

void set_up_postgresql(soci::session& session) {
    // The longer forms repeat the row that failed.
    PQsetErrorVerbosity(postgresql_handle(session), PQERRORS_TERSE);
    session << fmt::format("SET lock_timeout={}", wait_limit_ms);
    session << "SET client_encoding='UTF8'";
    session << "SET client_min_messages=warning";
}

// One writer at a time, as in SQLite: write transactions are serial on both backends, so the same
// code is right on both and none has to be run twice. Any number will do; it spells "quoin".
constexpr std::string_view take_write_lock =
    "BEGIN; SELECT pg_advisory_xact_lock(x'71756f696e'::bigint)";

}  // namespace

Result<Target> parse_target(std::string_view url) {
    if (url.starts_with(sqlite_prefix)) return parse_sqlite(url);
    if (url.starts_with("postgresql://") || url.starts_with("postgres://"))
        return parse_postgresql(url);
    return fail(
        Code::config_invalid,
        "the database URL must begin with sqlite:/// or postgresql:// (it is not shown: it may "
        "hold a password)");
}

Error explain(const Target& target, soci::session& session, const soci::soci_error& error) {
    // get_error_message, not what(): that one adds the statement and the values bound to it.
    std::string words = error.get_error_message();
    std::ranges::replace(words, '\n', ' ');
    while (words.ends_with(' ')) words.pop_back();
    Code code = Code::internal;
    if (const auto* of_sqlite = dynamic_cast<const soci::sqlite3_soci_error*>(&error)) {
        code = sqlite_code(sqlite_handle(session), of_sqlite->result());
    } else if (const auto* of_postgresql =
                   dynamic_cast<const soci::postgresql_soci_error*>(&error)) {
        code = postgresql_code(of_postgresql->sqlstate());
    }
    return Error{code, fmt::format("{}: {}", target.label, words)};
}

Result<void> connect(const Target& target, soci::session& session) {
    if (session.get_backend() != nullptr) session.close();
    if (target.backend == Backend::sqlite) {
        QUOIN_CHECK(make_private_file(target));
        session.open(soci::sqlite3, target.connect_string);
        return set_up_sqlite(target, session);
    }
    session.open(soci::postgresql, target.connect_string);
    set_up_postgresql(session);
    return {};
}

void begin(const Target& target, soci::session& session, bool write) {
    if (target.backend == Backend::postgresql) {
        session << (write ? take_write_lock : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
        return;
    }
    session << (write ? "PRAGMA query_only=OFF" : "PRAGMA query_only=ON");
    session << (write ? "BEGIN IMMEDIATE" : "BEGIN");
}

Result<void> commit(const Target& target, soci::session& session, bool write) {
    // PostgreSQL answers COMMIT of a failed transaction with a silent ROLLBACK.
    if (write && target.backend == Backend::postgresql &&
        PQtransactionStatus(postgresql_handle(session)) == PQTRANS_INERROR) {
        return fail(Code::internal,
                    "{}: a statement of the transaction failed, but its work went on",
                    target.label);
    }
    session << "COMMIT";
    return {};
}

bool is_lost(const Target& target, soci::session& session) noexcept {
    if (session.get_backend() == nullptr) return true;
    return target.backend == Backend::postgresql &&
           PQstatus(postgresql_handle(session)) != CONNECTION_OK;
}

void settle(const Target& target, soci::session& session) noexcept {
    const auto at_rest = [&] {
        if (session.get_backend() == nullptr) return true;
        if (target.backend == Backend::sqlite) {
            return sqlite_api::sqlite3_get_autocommit(sqlite_handle(session)) != 0;
        }
        return PQtransactionStatus(postgresql_handle(session)) == PQTRANS_IDLE;
    };
    try {
        if (at_rest()) return;
        session << "ROLLBACK";
        // NOLINTNEXTLINE(bugprone-empty-catch): what failed before is what is reported
    } catch (const std::exception&) {
        // A connection that is not at rest is closed below.
    }
    if (!at_rest()) session.close();
}

}  // namespace quoin::store
