// Samples a second through the parser alone, and from message to committed row and acknowledgement.
//
// usage: ingest_bench [postgresql]     SQLite by default, with its durable settings; prints one
// line a measurement. Compare inside one run only.
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "host/store/postgres_fixture.hpp"
#include "server/schema.hpp"
#include "server/telemetry/ingest.hpp"

using namespace quoin;

namespace {

constexpr std::size_t devices = 20;
constexpr std::size_t per_device = 10'000;

double now_s() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}
double cpu_s() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::string sample(std::size_t seq, bool cbor) {
    const std::string json = fmt::format(
        R"({{"seq":{},"low":1,"ts":1700000000000,"values":{{"temperature_c":23.5,"state":"running",)"
        R"("error_code":0}}}})",
        seq);
    if (!cbor) return json;
    const auto bytes = nlohmann::json::to_cbor(nlohmann::json::parse(json));
    return {bytes.begin(), bytes.end()};
}

void bench_parser(bool cbor) {
    const std::string payload = sample(123456, cbor);
    telemetry::SampleParser parser;
    constexpr int rounds = 500'000;
    const double begin = now_s();
    int good = 0;
    for (int i = 0; i < rounds; ++i) {
        good += parser.parse(bytes_of(payload), 1'800'000'000'000).has_value() ? 1 : 0;
    }
    fmt::print("parse {:<5} {:>9.0f} samples/s ({} bytes, {} good)\n", cbor ? "CBOR" : "JSON",
               rounds / (now_s() - begin), payload.size(), good);
}

Result<void> add_devices(store::Database& database) {
    return database.transaction([](soci::session& session) -> Result<void> {
        for (std::size_t i = 0; i < devices; ++i) {
            session << fmt::format(
                "INSERT INTO devices (device_id, silicon_id, class, birth_cert_sha256, state, "
                "reason, release_version, boot_counter, verdict, verdict_reason, verdict_level, "
                "verdict_ms, last_pass_ms, created_ms, updated_ms) VALUES ('d{0}', 'd{0}', 'mpu', "
                "'b{0}', 'active', '', '', 0, '', '', '', 0, 0, 0, 0)",
                i);
        }
        return {};
    });
}

Result<void> bench_ingest(const std::string& url, const std::filesystem::path& folder) {
    QUOIN_TRY(const auto database, store::Database::open(url));
    QUOIN_CHECK(database->migrate(server::migrations()));
    QUOIN_CHECK(add_devices(*database));
    QUOIN_TRY(auto key, crypto::PrivateKey::generate(crypto::Algorithm::ml_dsa_65));
    QUOIN_TRY(const auto log, audit::Log::open({.file = folder / "audit.jsonl"}, std::move(key)));
    server::Bus bus;
    std::atomic<std::size_t> stored{0};
    bus.samples_stored.listen([&stored](const server::SamplesStored& event) {
        stored += event.samples.size();
        stored.notify_one();
    });
    telemetry::IngestOptions options;
    options.site = "p";
    options.rate_per_s = options.burst = 1e9;
    options.queue_capacity = devices * per_device;
    std::vector<std::pair<std::string, std::string>> messages;
    for (std::size_t seq = 1; seq <= per_device; ++seq) {
        for (std::size_t i = 0; i < devices; ++i) {
            messages.emplace_back(fmt::format("quoin/p/d{}/telemetry/flexim", i),
                                  sample(seq, false));
        }
    }
    telemetry::Ingest ingest(*database, bus, *log, options, [](std::string, std::string) {});
    const double begin = now_s();
    const double cpu_begin = cpu_s();
    for (auto& [topic, payload] : messages) ingest.accept(std::move(topic), std::move(payload));
    const double accepted = now_s() - begin;
    const auto total = static_cast<double>(messages.size());
    for (std::size_t now = 0; now < messages.size(); now = stored) stored.wait(now);
    const double took = now_s() - begin;
    fmt::print("accept      {:>9.0f} samples/s\n", total / accepted);
    fmt::print("store       {:>9.0f} samples/s, {:.1f} us of CPU each, {} commits, {} acks\n",
               total / took, 1e6 * (cpu_s() - cpu_begin) / total, ingest.counters().commits.load(),
               ingest.counters().acks.load());
    return {};
}

}  // namespace

int main(int count, char** arguments) {
    const bool postgresql = count > 1 && std::string_view(arguments[1]) == "postgresql";
    bench_parser(false);
    bench_parser(true);
    const auto folder =
        std::filesystem::temp_directory_path() / fmt::format("quoin-ingest-bench-{}", ::getpid());
    std::filesystem::create_directory(folder);
    std::unique_ptr<store::PostgresFixture> server;
    if (postgresql) server = std::make_unique<store::PostgresFixture>(true);
    const auto done = bench_ingest(
        server ? server->url() : "sqlite://" + (folder / "db.sqlite").string(), folder);
    std::filesystem::remove_all(folder);
    if (done) return 0;
    fmt::print(stderr, "ingest_bench: {}\n", done.error().message);
    return 1;
}
