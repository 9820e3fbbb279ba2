#include "host/store/group_commit.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <latch>
#include <thread>
#include <vector>

#include "host/store/postgres_fixture.hpp"

namespace quoin::store {
namespace {

class group_commit : public testing::TestWithParam<Backend> {
protected:
    group_commit() {
        if (GetParam() == Backend::postgresql) {
            server_.emplace();
            database_ = open(server_->url());
        } else {
            std::string name =
                (std::filesystem::temp_directory_path() / "quoin-group-XXXXXX").string();
            folder_ = ::mkdtemp(name.data());
            database_ = open("sqlite://" + (folder_ / "db.sqlite").string());
        }
        run("CREATE TABLE numbers (number BIGINT PRIMARY KEY)");
    }
    ~group_commit() override {
        database_.reset();
        if (!folder_.empty()) std::filesystem::remove_all(folder_);
    }

    static std::unique_ptr<Database> open(const std::string& url) {
        auto opened = Database::open(url);
        EXPECT_TRUE(opened) << opened.error().message;
        return *std::move(opened);
    }
    void run(const std::string& statement) {
        const auto done = database_->transaction([&](soci::session& session) -> Result<void> {
            session << statement;
            return {};
        });
        EXPECT_TRUE(done) << done.error().message;
    }
    std::int64_t count() {
        const auto counted = database_->read([](soci::session& session) -> Result<std::int64_t> {
            std::int64_t number = 0;
            session << "SELECT COUNT(*) FROM numbers", soci::into(number);
            return number;
        });
        EXPECT_TRUE(counted);
        return counted ? *counted : -1;
    }
    static void insert(soci::session& session, std::int64_t number) {
        session << "INSERT INTO numbers VALUES (:n)", soci::use(number);
    }

    std::optional<PostgresFixture> server_;
    std::filesystem::path folder_;
    std::unique_ptr<Database> database_;
};

// The first holds the transaction until the others wait: they are one group.
TEST_P(group_commit, works_that_fail_among_others__undone_alone) {
    GroupCommit group(*database_);
    constexpr int others = 12;
    std::latch inside(1);
    std::latch asked(others);
    std::vector<Result<void>> results(others);
    std::vector<std::jthread> threads;
    std::jthread first([&] {
        EXPECT_TRUE(group.run([&](soci::session& session) -> Result<void> {
            insert(session, 1000);
            inside.count_down();
            asked.wait();
            return {};
        }));
    });
    inside.wait();
    for (int i = 0; i < others; ++i) {
        threads.emplace_back([&, i] {
            const GroupCommit::Work work = [&, i](soci::session& session) -> Result<void> {
                insert(session, i);
                if (i % 3 == 1) return fail(Code::input_invalid, "no");
                if (i % 3 == 2) insert(session, 1000);  // there already
                return {};
            };
            asked.count_down();
            results[static_cast<std::size_t>(i)] = group.run(work);
        });
    }
    threads.clear();
    first.join();
    for (int i = 0; i < others; ++i) {
        const auto& result = results[static_cast<std::size_t>(i)];
        EXPECT_EQ(result.has_value(), i % 3 == 0) << i;
        if (i % 3 == 1) {
            EXPECT_EQ(result.error().code, Code::input_invalid);
        }
    }
    EXPECT_EQ(count(), 1 + others / 3);
}

TEST_P(group_commit, many_threads__each_work_once) {
    GroupCommit group(*database_);
    std::atomic<int> runs = 0;
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 8; ++i) {
            threads.emplace_back([&, i] {
                for (int j = 0; j < 10; ++j) {
                    EXPECT_TRUE(group.run([&](soci::session& session) -> Result<void> {
                        ++runs;
                        insert(session, i * 10 + j);
                        return {};
                    }));
                }
            });
        }
    }
    EXPECT_EQ(runs, 80);
    EXPECT_EQ(count(), 80);
}

TEST_P(group_commit, one_work_that_fails__its_own_error) {
    GroupCommit group(*database_);
    EXPECT_EQ(group
                  .run([](soci::session& session) -> Result<void> {
                      insert(session, 1);
                      return fail(Code::state_wrong, "no");
                  })
                  .error()
                  .code,
              Code::state_wrong);
    EXPECT_FALSE(group.run([](soci::session& session) -> Result<void> {
        session << "INSERT INTO nothing VALUES (1)";
        return {};
    }));
    EXPECT_EQ(count(), 0);
}

INSTANTIATE_TEST_SUITE_P(backends, group_commit,
                         testing::Values(Backend::sqlite, Backend::postgresql),
                         [](const auto& each) {
                             return each.param == Backend::sqlite ? "sqlite" : "postgresql";
                         });

}  // namespace
}  // namespace quoin::store
