#include "host/store/database.hpp"

#include <soci/connection-pool.h>

#include <algorithm>
#include <chrono>
#include <mutex>

#include "host/store/connection.hpp"

namespace quoin::store {
namespace {

// The database in whose transaction this thread is: nesting would wait for itself.
thread_local const void* inside = nullptr;

std::string adapted(std::string_view sql, Backend backend) {
    constexpr std::string_view mark = "@WITHOUT_ROWID@";
    std::string out(sql);
    for (auto at = out.find(mark); at != std::string::npos; at = out.find(mark)) {
        out.replace(at, mark.size(), backend == Backend::sqlite ? "WITHOUT ROWID" : "");
    }
    return out;
}

void run_script(soci::session& session, const std::string& sql) {
    std::size_t from = 0;
    while (from < sql.size()) {
        const auto end = std::min(sql.find(";\n", from), sql.size());
        const std::string statement = sql.substr(from, end - from);
        if (statement.find_first_not_of(" \n") != std::string::npos) session << statement;
        from = end + 2;
    }
}

Result<void> check_without_gaps(std::span<const Migration> migrations) {
    int expected = 1;
    for (const Migration& migration : migrations) {
        if (migration.version != expected++) {
            return fail(Code::internal, "migration {} is out of order: expected {}",
                        migration.version, expected - 1);
        }
    }
    return {};
}

}  // namespace

struct Database::State {
    State(Target given, std::size_t connections) : target(std::move(given)), pool(connections) {}

    Target target;
    soci::connection_pool pool;
    // Taken before a connection, so that waiting writers leave the connections to readers.
    std::timed_mutex writer;
};

namespace {

// A connection of the pool, at rest again when it is given back.
class Lease {
public:
    Lease(soci::connection_pool& pool, const Target& target, std::size_t position)
        : pool_(pool), target_(target), position_(position) {}
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease() {
        settle(target_, session());
        pool_.give_back(position_);
    }
    soci::session& session() { return pool_.at(position_); }

private:
    soci::connection_pool& pool_;
    const Target& target_;
    std::size_t position_;
};

class InsideGuard {
public:
    explicit InsideGuard(const void* database) : before_(inside) { inside = database; }
    InsideGuard(const InsideGuard&) = delete;
    InsideGuard& operator=(const InsideGuard&) = delete;
    ~InsideGuard() { inside = before_; }

private:
    const void* before_;
};

Result<void> connect_safely(const Target& target, soci::session& session) {
    try {
        auto connected = connect(target, session);
        if (!connected && session.get_backend() != nullptr) session.close();
        return connected;
    } catch (const soci::soci_error& error) {
        Error explained = explain(target, session, error);
        // Whatever the words: there is no connection now, and there may be one later.
        if (explained.code == Code::internal) explained.code = Code::resource_unavailable;
        if (session.get_backend() != nullptr) session.close();
        return std::unexpected(std::move(explained));
    }
}

// A connection that was lost since its last use is made anew: nothing has run on it yet.
Result<void> begin_safely(const Target& target, soci::session& session, bool write) {
    for (const bool first : {true, false}) {
        if (is_lost(target, session)) QUOIN_CHECK(connect_safely(target, session));
        try {
            begin(target, session, write);
            return {};
        } catch (const soci::soci_error& error) {
            if (!first || !is_lost(target, session)) {
                return std::unexpected(explain(target, session, error));
            }
        }
    }
    return {};
}

Result<void> commit_safely(const Target& target, soci::session& session, bool write) {
    try {
        return commit(target, session, write);
    } catch (const soci::soci_error& error) {
        Error explained = explain(target, session, error);
        if (is_lost(target, session)) {
            explained.message += " (lost while committing: whether it was committed is not known)";
        }
        return std::unexpected(std::move(explained));
    }
}

}  // namespace

Result<std::unique_ptr<Database>> Database::open(std::string_view url, std::size_t connections) {
    if (connections == 0)
        return fail(Code::config_invalid, "a database needs at least one connection");
    QUOIN_TRY(Target target, parse_target(url));
    auto state = std::make_unique<State>(std::move(target), connections);
    for (std::size_t i = 0; i < connections; ++i) {
        QUOIN_CHECK(connect_safely(state->target, state->pool.at(i)));
    }
    return std::unique_ptr<Database>(new Database(std::move(state)));
}

Database::Database(std::unique_ptr<State> state) : state_(std::move(state)) {}
Database::~Database() = default;
Backend Database::backend() const { return state_->target.backend; }

Result<void> Database::migrate(std::span<const Migration> migrations) {
    QUOIN_CHECK(check_without_gaps(migrations));
    return transaction([&](soci::session& session) -> Result<void> {
        session << "CREATE TABLE IF NOT EXISTS quoin_schema (version INTEGER PRIMARY KEY)";
        int present = 0;
        session << "SELECT COALESCE(MAX(version), 0) FROM quoin_schema", soci::into(present);
        if (present > static_cast<int>(migrations.size())) {
            return fail(
                Code::state_wrong,
                "{}: its schema is version {}, this program knows {}: run the newer program, or "
                "restore a backup made before it",
                state_->target.label, present, migrations.size());
        }
        for (const Migration& migration : migrations.subspan(static_cast<std::size_t>(present))) {
            run_script(session, adapted(migration.sql, state_->target.backend));
            session << "INSERT INTO quoin_schema (version) VALUES (:v)",
                soci::use(migration.version);
        }
        return {};
    });
}

Result<void> Database::run_erased(bool write, const std::function<bool(soci::session&)>& body) {
    const Target& target = state_->target;
    if (inside == state_.get()) {
        return fail(Code::internal, "{}: a transaction was begun inside another", target.label);
    }
    std::unique_lock lock(state_->writer, std::defer_lock);
    const auto busy = [&](std::string_view what) {
        return fail(Code::resource_unavailable, "{}: busy: no {} within {} ms", target.label, what,
                    wait_limit_ms);
    };
    if (write && !lock.try_lock_for(std::chrono::milliseconds(wait_limit_ms)))
        return busy("write lock");
    std::size_t position = 0;
    if (!state_->pool.try_lease(position, wait_limit_ms)) return busy("free connection");
    Lease lease(state_->pool, target, position);
    QUOIN_CHECK(begin_safely(target, lease.session(), write));
    const InsideGuard guard(state_.get());
    try {
        // The error that the work returned is its caller's answer.
        if (!body(lease.session())) return {};
    } catch (const soci::soci_error& error) {
        return std::unexpected(explain(target, lease.session(), error));
    } catch (const std::exception& error) {
        return fail(Code::internal, "{}: {}", target.label, error.what());
    }
    return commit_safely(target, lease.session(), write);
}

}  // namespace quoin::store
