// Tests only: a fresh database of either kind with the schema, and a few devices.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>

#include "host/store/postgres_fixture.hpp"
#include "server/schema.hpp"

namespace quoin::telemetry {

class TestDatabase {
public:
    explicit TestDatabase(store::Backend backend) {
        static int number = 0;
        folder_ =
            std::filesystem::temp_directory_path() /
            ("quoin-telemetry-" + std::to_string(::getpid()) + "-" + std::to_string(++number));
        std::filesystem::create_directory(folder_);
        if (backend == store::Backend::sqlite) {
            url_ = "sqlite://" + (folder_ / "test.sqlite").string();
        } else {
            // One server for the program, emptied for each test.
            static store::PostgresFixture server;
            server_ = &server;
            url_ = server.url();
        }
        reopen();
        if (backend == store::Backend::postgresql) {
            run("DROP SCHEMA public CASCADE");
            run("CREATE SCHEMA public");
        }
        const auto migrated = database->migrate(server::migrations());
        EXPECT_TRUE(migrated) << migrated.error().message;
    }
    TestDatabase(const TestDatabase&) = delete;
    TestDatabase& operator=(const TestDatabase&) = delete;
    ~TestDatabase() {
        database.reset();
        std::filesystem::remove_all(folder_);
    }

    void reopen() {
        auto opened = store::Database::open(url_);
        EXPECT_TRUE(opened) << opened.error().message;
        database = std::move(*opened);
    }
    void run(const std::string& sql) {
        const auto ran = database->transaction([&](soci::session& session) -> Result<void> {
            session << sql;
            return {};
        });
        EXPECT_TRUE(ran) << sql << ": " << (ran ? "" : ran.error().message);
    }
    std::int64_t number(const std::string& sql) {
        const auto read = database->read([&](soci::session& session) -> Result<std::int64_t> {
            std::int64_t value = -1;
            session << sql, soci::into(value);
            return value;
        });
        EXPECT_TRUE(read) << sql << ": " << (read ? "" : read.error().message);
        return read ? *read : -1;
    }
    void add_device(const std::string& id, const std::string& verdict = "trusted",
                    std::int64_t last_pass_ms = 0) {
        run("INSERT INTO devices (device_id, silicon_id, class, birth_cert_sha256, state, reason, "
            "release_version, boot_counter, verdict, verdict_reason, verdict_level, verdict_ms, "
            "last_pass_ms, created_ms, updated_ms) VALUES ('" +
            id + "', '" + id + "', 'mpu', 'digest-" + id + "', 'active', '', '', 0, '" + verdict +
            "', '', '', 0, " + std::to_string(last_pass_ms) + ", 0, 0)");
    }
    // PostgreSQL only: the server ends as after a crash and comes back.
    void restart_server() { server_->restart(); }

    std::unique_ptr<store::Database> database;

private:
    std::filesystem::path folder_;
    std::string url_;
    store::PostgresFixture* server_ = nullptr;
};

}  // namespace quoin::telemetry
