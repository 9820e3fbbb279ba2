// The same tests on both backends: SQLite in a temporary folder, PostgreSQL on a real server.
#include "host/store/database.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <libpq-fe.h>
#include <rapidcheck.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

#include "host/store/bulk.hpp"
#include "host/store/postgres_fixture.hpp"

namespace quoin::store {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::string_view secret = "p@ss/w:rd %1";

PostgresFixture& postgres() {
    static PostgresFixture fixture;
    return fixture;
}

// Outside of any transaction, by libpq: CREATE DATABASE wants it so.
void administer(const std::string& statement) {
    PGconn* connection = PQconnectdb(postgres().url().c_str());
    PGresult* result = PQexec(connection, statement.c_str());
    const auto status = PQresultStatus(result);
    EXPECT_TRUE(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
        << PQerrorMessage(connection);
    PQclear(result);
    PQfinish(connection);
}

constexpr std::array first_version{
    Migration{.version = 1,
              .sql = "CREATE TABLE things (id BIGINT PRIMARY KEY, name VARCHAR(64) NOT NULL "
                     "UNIQUE, note TEXT) @WITHOUT_ROWID@;\n"
                     "CREATE TABLE parts (id BIGINT PRIMARY KEY, thing BIGINT NOT NULL "
                     "REFERENCES things (id));\n"}};

Result<void> insert_thing(soci::session& session, std::int64_t id, const std::string& name) {
    session << "INSERT INTO things (id, name) VALUES (:id, :name)", soci::use(id), soci::use(name);
    return {};
}

std::int64_t count_things(Database& database) {
    auto counted = database.read([](soci::session& session) -> Result<std::int64_t> {
        std::int64_t count = 0;
        session << "SELECT COUNT(*) FROM things", soci::into(count);
        return count;
    });
    EXPECT_TRUE(counted) << (counted ? "" : counted.error().message);
    return counted ? *counted : -1;
}

class store : public testing::TestWithParam<Backend> {
protected:
    void SetUp() override {
        const auto* info = testing::UnitTest::GetInstance()->current_test_info();
        folder_ =
            std::filesystem::temp_directory_path() /
            ("quoin-store-" + std::to_string(::getpid()) + "-" + std::to_string(info->line()));
        std::filesystem::create_directory(folder_);
        if (GetParam() == Backend::sqlite) {
            url_ = "sqlite://" + (folder_ / "db" / "test.sqlite").string();
        } else {
            static int number = 0;
            const std::string name = "t" + std::to_string(++number);
            administer("CREATE DATABASE " + name);
            url_ = postgres().url(name);
        }
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    std::unique_ptr<Database> open_empty(std::size_t connections = 4) {
        auto opened = Database::open(url_, connections);
        EXPECT_TRUE(opened) << (opened ? "" : opened.error().message);
        return opened ? *std::move(opened) : nullptr;
    }
    std::unique_ptr<Database> open(std::size_t connections = 4) {
        auto database = open_empty(connections);
        const auto migrated = database->migrate(first_version);
        EXPECT_TRUE(migrated) << (migrated ? "" : migrated.error().message);
        return database;
    }
    bool is_sqlite() const { return GetParam() == Backend::sqlite; }

    std::filesystem::path folder_;
    std::string url_;
};

// What only one of them has.
class store_sqlite : public store {};
class store_postgresql : public store {};

TEST_P(store_sqlite, open__new_file__is_private) {
    auto database = open();
    EXPECT_EQ(database->backend(), GetParam());
    for (const char* suffix : {"", "-wal", "-shm"}) {
        struct stat status{};
        const auto file = (folder_ / "db" / "test.sqlite").string() + suffix;
        ASSERT_EQ(::stat(file.c_str(), &status), 0) << file;
        EXPECT_EQ(status.st_mode & 0777U, 0600U) << file;
    }
}

TEST_P(store_sqlite, open__damaged_file__integrity_mismatch) {
    std::filesystem::create_directory(folder_ / "db");
    std::ofstream(folder_ / "db" / "test.sqlite") << std::string(8192, 'x');
    const auto opened = Database::open(url_);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Code::integrity_mismatch);
    EXPECT_THAT(opened.error().message, HasSubstr("test.sqlite"));
}

TEST_P(store, open__unreachable__resource_unavailable_without_password) {
    const std::string url = is_sqlite()
                                ? "sqlite:///proc/nothing/x.sqlite"
                                : "postgresql://quoin:p%40ss%2Fw%3Ard%20%251@127.0.0.1:1/postgres";
    const auto opened = Database::open(url);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Code::resource_unavailable);
    EXPECT_THAT(opened.error().message, Not(HasSubstr("p%40ss")));
    EXPECT_THAT(opened.error().message, Not(HasSubstr(std::string(secret))));
}

TEST_P(store_postgresql, open__wrong_password__refused_without_repeating_it) {
    std::string url = postgres().url();
    url.replace(url.find("p%40ss"), 6, "hunter2");
    const auto opened = Database::open(url);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Code::resource_unavailable);
    EXPECT_THAT(opened.error().message, HasSubstr("authentication failed"));
    EXPECT_THAT(opened.error().message, Not(HasSubstr("hunter2")));
}

TEST(store_url, open__bad_url__config_invalid_without_password) {
    for (const std::string url :
         {"mysql://a:hunter2@b/c", "sqlite://relative.sqlite", "sqlite:///folder/", "", "hunter2",
          "postgresql://a:hunt@er2@127.0.0.1/c", "postgresql://a:hunter2@127.0.0.1:port/c?hunter2",
          "postgresql://a:hunter2@127.0.0.1/c?no_such_option=hunter2",
          "sqlite:///a=b c/hunter.sqlite"}) {
        const auto opened = Database::open(url);
        ASSERT_FALSE(opened) << url;
        EXPECT_EQ(opened.error().code, Code::config_invalid) << url;
        EXPECT_THAT(opened.error().message, Not(HasSubstr("hunter2")));
        EXPECT_THAT(opened.error().message, Not(HasSubstr("er2")));
    }
}

TEST_P(store, migrate__twice__same_schema) {
    auto database = open();
    ASSERT_TRUE(database->transaction([](soci::session& s) { return insert_thing(s, 1, "a"); }));
    ASSERT_TRUE(database->migrate(first_version));
    EXPECT_EQ(count_things(*database), 1);
}

TEST_P(store, migrate__second_version__adds_to_the_first) {
    auto database = open();
    constexpr std::array both{
        first_version[0],
        Migration{.version = 2, .sql = "ALTER TABLE things ADD COLUMN more BIGINT"}};
    ASSERT_TRUE(database->migrate(both));
    EXPECT_TRUE(database->transaction([](soci::session& session) -> Result<void> {
        session << "INSERT INTO things (id, name, more) VALUES (1, 'a', 2)";
        return {};
    }));
}

TEST_P(store, migrate__failing_statement__leaves_nothing) {
    auto database = open_empty();
    constexpr std::array broken{first_version[0],
                                Migration{.version = 2,
                                          .sql = "CREATE TABLE more (id BIGINT);\n"
                                                 "CREATE NONSENSE;\n"}};
    const auto migrated = database->migrate(broken);
    ASSERT_FALSE(migrated);
    EXPECT_EQ(migrated.error().code, Code::internal);
    for (const char* table : {"things", "more", "quoin_schema"}) {
        EXPECT_FALSE(database->read([&](soci::session& session) -> Result<void> {
            session << "SELECT * FROM " << table;
            return {};
        })) << table;
    }
}

TEST_P(store, migrate__newer_schema__state_wrong) {
    auto database = open();
    ASSERT_TRUE(database->transaction([](soci::session& session) -> Result<void> {
        session << "INSERT INTO quoin_schema (version) VALUES (7)";
        return {};
    }));
    const auto migrated = database->migrate(first_version);
    ASSERT_FALSE(migrated);
    EXPECT_EQ(migrated.error().code, Code::state_wrong);
    EXPECT_THAT(migrated.error().message, HasSubstr("version 7"));
}

TEST_P(store, migrate__gap__internal) {
    constexpr std::array gap{Migration{.version = 2, .sql = "CREATE TABLE a (b BIGINT)"}};
    const auto migrated = open_empty()->migrate(gap);
    ASSERT_FALSE(migrated);
    EXPECT_EQ(migrated.error().code, Code::internal);
}

TEST_P(store, migrate__two_programs_at_once__one_schema) {
    auto first = open_empty();
    auto second = open_empty();
    auto other =
        std::async(std::launch::async, [&] { return second->migrate(first_version).has_value(); });
    EXPECT_TRUE(first->migrate(first_version));
    EXPECT_TRUE(other.get());
}

TEST_P(store, transaction__error_returned__rolled_back) {
    auto database = open();
    const auto done = database->transaction([](soci::session& session) -> Result<int> {
        QUOIN_CHECK(insert_thing(session, 1, "a"));
        return fail(Code::peer_forbidden, "no");
    });
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, Code::peer_forbidden);
    EXPECT_EQ(count_things(*database), 0);
}

TEST_P(store, transaction__same_key__input_conflict_and_rolled_back) {
    auto database = open();
    const auto done = database->transaction([](soci::session& session) -> Result<void> {
        QUOIN_CHECK(insert_thing(session, 1, "a"));
        QUOIN_CHECK(insert_thing(session, 2, "confidential"));
        return insert_thing(session, 3, "confidential");
    });
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, Code::input_conflict);
    EXPECT_EQ(count_things(*database), 0);
}

TEST_P(store, transaction__missing_parent__input_conflict) {
    const auto done = open()->transaction([](soci::session& session) -> Result<void> {
        session << "INSERT INTO parts (id, thing) VALUES (1, 99)";
        return {};
    });
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, Code::input_conflict);
}

TEST_P(store, transaction__null_where_not_allowed__input_invalid_without_bound_values) {
    const auto done = open()->transaction([](soci::session& session) -> Result<void> {
        const std::string note = "confidential";
        session << "INSERT INTO things (id, note) VALUES (5, :note)", soci::use(note);
        return {};
    });
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, Code::input_invalid);
    EXPECT_THAT(done.error().message, Not(HasSubstr("confidential")));
}

TEST_P(store, transaction__error_swallowed_by_work__never_a_silent_loss) {
    auto database = open();
    const auto done = database->transaction([](soci::session& session) -> Result<void> {
        QUOIN_CHECK(insert_thing(session, 1, "a"));
        try {
            QUOIN_CHECK(insert_thing(session, 1, "a"));
        } catch (const soci::soci_error&) {
            return {};
        }
        return {};
    });
    EXPECT_EQ(count_things(*database), done ? 1 : 0);
}

TEST_P(store, transaction__exception_of_a_library__internal_and_rolled_back) {
    auto database = open();
    const auto done = database->transaction([](soci::session& session) -> Result<void> {
        QUOIN_CHECK(insert_thing(session, 1, "a"));
        throw std::bad_cast();
    });
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, Code::internal);
    EXPECT_EQ(count_things(*database), 0);
}

TEST_P(store, transaction__nested__internal) {
    auto database = open();
    const auto done = database->transaction([&](soci::session&) -> Result<void> {
        return database->read([](soci::session&) -> Result<void> { return {}; });
    });
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, Code::internal);
    EXPECT_EQ(count_things(*database), 0);
}

TEST_P(store, transaction__read_then_write_from_many_threads__nothing_lost) {
    auto database = open();
    auto other = open();  // a second process, as far as the database can tell
    ASSERT_TRUE(database->transaction([](soci::session& s) { return insert_thing(s, 0, "0"); }));
    constexpr int threads = 4;
    constexpr int rounds = 25;
    std::vector<std::future<int>> workers;
    for (int i = 0; i < threads; ++i) {
        workers.push_back(std::async(std::launch::async, [&, i] {
            int done = 0;
            for (int round = 0; round < rounds; ++round) {
                Database& mine = i % 2 == 0 ? *database : *other;
                const auto result = mine.transaction([](soci::session& session) -> Result<void> {
                    std::string name;
                    session << "SELECT name FROM things WHERE id = 0", soci::into(name);
                    const std::string next = std::to_string(std::stoi(name) + 1);
                    session << "UPDATE things SET name = :n WHERE id = 0", soci::use(next);
                    return {};
                });
                if (result) ++done;
            }
            return done;
        }));
    }
    for (auto& worker : workers) EXPECT_EQ(worker.get(), rounds);
    auto total = database->read([](soci::session& session) -> Result<std::string> {
        std::string name;
        session << "SELECT name FROM things WHERE id = 0", soci::into(name);
        return name;
    });
    EXPECT_EQ(total.value_or(""), std::to_string(threads * rounds));
}

TEST_P(store, transaction__full__resource_full_and_rolled_back) {
    auto database = open(1);
    const auto done = database->transaction([&](soci::session& session) -> Result<void> {
        if (!is_sqlite()) {
            // The same SQLSTATE as a full disk, raised on purpose.
            session << "DO $$ BEGIN RAISE EXCEPTION 'full' USING ERRCODE='53100'; END $$";
            return {};
        }
        session << "PRAGMA max_page_count=20";
        const std::string name(1000, 'x');
        for (std::int64_t id = 1; id < 1000; ++id)
            QUOIN_CHECK(insert_thing(session, id, name + std::to_string(id)));
        return {};
    });
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, Code::resource_full) << done.error().message;
    EXPECT_EQ(count_things(*database), 0);
    // SQLite's limit is still in force, and leaves room for one row.
    EXPECT_TRUE(database->transaction([](soci::session& s) { return insert_thing(s, 1, "a"); }));
}

TEST_P(store, read__statement_that_writes__fails) {
    auto database = open();
    EXPECT_FALSE(database->read([](soci::session& s) { return insert_thing(s, 1, "a"); }));
    EXPECT_EQ(count_things(*database), 0);
}

TEST_P(store, read__during_a_write__one_snapshot_and_no_waiting) {
    auto database = open();
    ASSERT_TRUE(database->read([&](soci::session& session) -> Result<void> {
        int before = -1;
        session << "SELECT COUNT(*) FROM things", soci::into(before);
        auto writer = std::async(std::launch::async, [&] {
            return database->transaction([](soci::session& s) { return insert_thing(s, 1, "a"); })
                .has_value();
        });
        EXPECT_TRUE(writer.get());
        int after = -1;
        session << "SELECT COUNT(*) FROM things", soci::into(after);
        EXPECT_EQ(before, after);
        return {};
    }));
    EXPECT_EQ(count_things(*database), 1);
}

TEST_P(store_postgresql, transaction__connections_lost_before__made_anew) {
    auto database = open(2);
    if (!is_sqlite()) {
        administer(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 't%'");
    }
    for (std::int64_t id = 1; id <= 4; ++id) {
        const auto done = database->transaction(
            [&](soci::session& s) { return insert_thing(s, id, std::to_string(id)); });
        EXPECT_TRUE(done) << done.error().message;
    }
    EXPECT_EQ(count_things(*database), 4);
}

TEST_P(store_postgresql, transaction__server_crashes_inside__unavailable_then_works_again) {
    auto database = open(2);
    const auto done = database->transaction([](soci::session& session) -> Result<void> {
        QUOIN_CHECK(insert_thing(session, 1, "a"));
        postgres().restart();
        return insert_thing(session, 2, "b");
    });
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, Code::resource_unavailable);
    EXPECT_EQ(count_things(*database), 0);
    EXPECT_TRUE(database->transaction([](soci::session& s) { return insert_thing(s, 3, "c"); }));
}

TEST_P(store, transaction__process_killed_at_any_moment__every_reported_commit_is_there) {
    open();
    for (int round = 0; round < 5; ++round) {
        std::array<int, 2> reports{};
        ASSERT_EQ(::pipe(reports.data()), 0);
        const std::int64_t base = round * 1'000'000;
        const pid_t child = ::fork();
        if (child == 0) {
            auto database = Database::open(url_, 1);
            for (std::int64_t id = base; database; ++id) {
                const auto done = (*database)->transaction(
                    [&](soci::session& s) { return insert_thing(s, id, std::to_string(id)); });
                if (!done || ::write(reports[1], &id, sizeof id) != sizeof id) ::_exit(1);
            }
            ::_exit(2);
        }
        ::close(reports[1]);
        std::int64_t last = -1;
        const int wanted = 10 + 17 * round;
        for (int i = 0; i < wanted; ++i)
            ASSERT_EQ(::read(reports[0], &last, sizeof last), ssize_t{sizeof last});
        ::kill(child, SIGKILL);
        while (::read(reports[0], &last, sizeof last) == ssize_t{sizeof last}) {
        }
        ::close(reports[0]);
        ::waitpid(child, nullptr, 0);
        auto database = open();
        const auto present = database->read([&](soci::session& session) -> Result<std::int64_t> {
            std::int64_t count = 0;
            session << "SELECT COUNT(*) FROM things WHERE id >= :a AND id <= :b", soci::use(base),
                soci::use(last), soci::into(count);
            return count;
        });
        EXPECT_EQ(present.value_or(-1), last - base + 1);
    }
}

TEST_P(store, insert_new__rows_there_already__skipped_and_counted) {
    auto database = open();
    const auto insert = [&](std::vector<std::int64_t> ids, std::vector<std::string> names) {
        return database->transaction([&](soci::session& session) -> Result<std::int64_t> {
            return insert_new(
                session, "things",
                std::array{Column{"id", std::move(ids)}, Column{"name", std::move(names)}});
        });
    };
    EXPECT_EQ(insert({1, 2, 3}, {"a", "b", "c"}).value_or(-1), 3);
    EXPECT_EQ(insert({2, 3, 4}, {"b", "c", "d"}).value_or(-1), 1);
    EXPECT_EQ(insert({2}, {"other"}).value_or(-1), 0);
    EXPECT_EQ(insert({}, {}).value_or(-1), 0);
    EXPECT_FALSE(insert({5, 6}, {"e"}));
    EXPECT_EQ(count_things(*database), 4);
}

TEST_P(store, insert_new__any_text__comes_back_the_same) {
    auto database = open(1);
    std::int64_t id = 0;
    const bool held =
        rc::check("text is kept", [&](const std::vector<std::vector<std::uint8_t>>& rows) {
            constexpr std::string_view alphabet = "ab \"'\\{},;:%\n\t\x7f";
            std::vector<std::int64_t> ids;
            std::vector<std::string> names;
            for (const auto& row : rows) {
                ids.push_back(++id);
                names.push_back(std::to_string(id) + "€");
                for (const std::uint8_t byte : row) {
                    if (names.back().size() < 60) names.back() += alphabet[byte % alphabet.size()];
                }
            }
            const auto names_before = names;
            const std::int64_t first = id - static_cast<std::int64_t>(rows.size());
            const auto done = database->transaction(
                [&](soci::session& session) -> Result<std::vector<std::string>> {
                    insert_new(session, "things",
                               std::array{Column{"id", ids}, Column{"name", names}});
                    std::vector<std::string> back;
                    for (std::int64_t each = first + 1; each <= id; ++each) {
                        std::string name;
                        session << "SELECT name FROM things WHERE id = :i", soci::use(each),
                            soci::into(name);
                        back.push_back(name);
                    }
                    return back;
                });
            RC_ASSERT(done.has_value());
            RC_ASSERT(*done == names_before);
        });
    EXPECT_TRUE(held);
}

std::string backend_name(const testing::TestParamInfo<Backend>& each) {
    return each.param == Backend::sqlite ? "sqlite" : "postgresql";
}

INSTANTIATE_TEST_SUITE_P(both, store, testing::Values(Backend::sqlite, Backend::postgresql),
                         backend_name);
INSTANTIATE_TEST_SUITE_P(only, store_sqlite, testing::Values(Backend::sqlite), backend_name);
INSTANTIATE_TEST_SUITE_P(only, store_postgresql, testing::Values(Backend::postgresql),
                         backend_name);

}  // namespace
}  // namespace quoin::store
