// Rows of telemetry stored a second, in transactions of 1,000 rows, on a durable SQLite and
// PostgreSQL.
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>

#include "host/store/bulk.hpp"
#include "host/store/database.hpp"
#include "host/store/postgres_fixture.hpp"

namespace {

using namespace quoin;

// As in server/schema.cpp.
constexpr std::array schema{store::Migration{
    .version = 1,
    .sql = "CREATE TABLE samples (stream_key BIGINT NOT NULL, seq BIGINT NOT NULL, ts_ms BIGINT "
           "NOT NULL, "
           "stored_ms BIGINT NOT NULL, suspect SMALLINT NOT NULL, sample_values TEXT NOT NULL, "
           "PRIMARY KEY (stream_key, seq)) @WITHOUT_ROWID@"}};
constexpr std::int64_t rows_per_batch = 1000;
constexpr std::int64_t batches = 200;

Result<void> store_batch(store::Database& database, std::int64_t batch) {
    std::vector<std::int64_t> keys;
    std::vector<std::int64_t> sequences;
    std::vector<std::int64_t> times;
    std::vector<std::int64_t> suspects;
    std::vector<std::string> values;
    for (std::int64_t row = 0; row < rows_per_batch; ++row) {
        keys.push_back(row % 20);
        sequences.push_back(batch * rows_per_batch / 20 + row / 20 + 1);
        times.push_back(1'700'000'000'000 + row);
        suspects.push_back(0);
        values.emplace_back(R"({"temperature_c":23.5,"state":"running","error_code":0})");
    }
    const std::array columns{
        store::Column{"stream_key", keys},  store::Column{"seq", sequences},
        store::Column{"ts_ms", times},      store::Column{"stored_ms", times},
        store::Column{"suspect", suspects}, store::Column{"sample_values", values}};
    return database.transaction([&](soci::session& session) -> Result<void> {
        const auto stored = store::insert_new(session, "samples", columns);
        if (stored != rows_per_batch) return fail(Code::internal, "{} rows stored", stored);
        return {};
    });
}

Result<double> rows_per_second(const std::string& url) {
    QUOIN_TRY(const auto database, store::Database::open(url));
    QUOIN_CHECK(database->migrate(schema));
    const auto start = std::chrono::steady_clock::now();
    for (std::int64_t batch = 0; batch < batches; ++batch)
        QUOIN_CHECK(store_batch(*database, batch));
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    return static_cast<double>(batches * rows_per_batch) / taken.count();
}

bool report(std::string_view name, const std::string& url) {
    const auto measured = rows_per_second(url);
    if (measured)
        fmt::print("{:<12} {:>9.0f} rows/s\n", name, *measured);
    else
        fmt::print(stderr, "{}: {}\n", name, measured.error().message);
    return measured.has_value();
}

}  // namespace

int main(int argc, char** argv) {
    const std::filesystem::path folder =
        (argc > 1 ? std::filesystem::path(argv[1]) : std::filesystem::temp_directory_path()) /
        fmt::format("quoin-store-bench-{}", ::getpid());
    std::filesystem::create_directory(folder);
    const bool sqlite = report("SQLite", "sqlite://" + (folder / "bench.sqlite").string());
    std::filesystem::remove_all(folder);
    const store::PostgresFixture server(true);
    return report("PostgreSQL", server.url()) && sqlite ? 0 : 1;
}
