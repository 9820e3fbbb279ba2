// Reserved increments a second beside fdatasync a second on the same disk, interleaved; durable
// reservations; and what a store of 100,000 counters takes. Prints JSON. usage: ROUNDS FOLDER
#include <fcntl.h>
#include <fmt/ranges.h>
#include <malloc.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdio>

#include "host/counters/store.hpp"
#include "host/descriptor.hpp"

namespace {

using namespace quoin;
using counters::Sequence;
using counters::Store;
namespace fs = std::filesystem;

constexpr std::chrono::milliseconds round_time{400};
constexpr std::size_t many = 100'000;

// How often a second `work` is done; it says how often one call does it.
template <class Work>
Result<double> per_second(Work work) {
    const auto start = std::chrono::steady_clock::now();
    std::chrono::duration<double> taken{};
    std::uint64_t done = 0;
    while (taken < round_time) {
        QUOIN_TRY(const std::uint64_t more, work());
        done += more;
        taken = std::chrono::steady_clock::now() - start;
    }
    return static_cast<double>(done) / taken.count();
}

Result<double> syncs(const fs::path& folder) {
    const Descriptor file(
        ::open((folder / "synced").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    const std::string line(64, 'x');
    return per_second([&]() -> Result<std::uint64_t> {
        if (::write(file.number(), line.data(), line.size()) != 64 ||
            ::fdatasync(file.number()) != 0) {
            return fail(Code::resource_unavailable, "{}: cannot be written", folder.string());
        }
        return 1;
    });
}

Result<std::unique_ptr<Store>> new_store(const fs::path& file) {
    fs::remove(file);
    QUOIN_CHECK(Store::create(file, "bench", nullptr));
    return Store::open(file, "bench", nullptr);
}

// From the first value on, so that the small blocks count, too.
Result<double> increments(const fs::path& folder) {
    QUOIN_TRY(const auto store, new_store(folder / "counters"));
    QUOIN_TRY(Sequence numbers, store->sequence("numbers"));
    return per_second([&]() -> Result<std::uint64_t> {
        for (int i = 0; i < 256; ++i) QUOIN_CHECK(numbers.next());
        return 256;
    });
}

Result<double> reservations(const fs::path& folder) {
    QUOIN_TRY(const auto store, new_store(folder / "counters"));
    QUOIN_CHECK(store->add_scarce("index", std::uint64_t{1} << 40U));
    return per_second([&]() -> Result<std::uint64_t> {
        QUOIN_CHECK(store->reserve("index", 1));
        return 1;
    });
}

struct Big {
    std::uint64_t file_bytes = 0;
    std::uint64_t heap_bytes = 0;
    double open_ms = 0;
    double write_ms = 0;
    double increments_per_s = 0;  // of each in turn
};

std::size_t heap() {
    const struct mallinfo2 info = ::mallinfo2();
    return info.uordblks + info.hblkhd;
}

double since_ms(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
        .count();
}

Result<Big> big_store(const fs::path& folder) {
    const fs::path file = folder / "big";
    std::vector<std::string> names;
    for (std::size_t i = 0; i < many; ++i)
        names.push_back(fmt::format("device-{:06}.telemetry", i));
    {
        QUOIN_TRY(const auto store, new_store(file));
        QUOIN_CHECK(store->sequences(names));
    }
    Big big;
    big.file_bytes = fs::file_size(file);
    const std::size_t before = heap();
    auto start = std::chrono::steady_clock::now();
    QUOIN_TRY(const auto store, Store::open(file, "bench", nullptr));
    big.open_ms = since_ms(start);
    big.heap_bytes = heap() - before;
    start = std::chrono::steady_clock::now();
    QUOIN_CHECK(store->advance("policy", 1));
    big.write_ms = since_ms(start);
    QUOIN_TRY(auto all, store->sequences(names));
    std::size_t at = 0;
    QUOIN_TRY(big.increments_per_s, per_second([&]() -> Result<std::uint64_t> {
                  for (int i = 0; i < 256; ++i) QUOIN_CHECK(all[at++ % many].next());
                  return 256;
              }));
    return big;
}

Result<void> run(int rounds, const fs::path& folder) {
    std::vector<double> increments_per_s, syncs_per_s, reservations_per_s;
    for (int round = 0; round < rounds; ++round) {
        QUOIN_TRY(syncs_per_s.emplace_back(), syncs(folder));
        QUOIN_TRY(increments_per_s.emplace_back(), increments(folder));
        QUOIN_TRY(reservations_per_s.emplace_back(), reservations(folder));
    }
    QUOIN_TRY(const Big big, big_store(folder));
    fmt::print(
        R"({{"increments_per_s": [{:.0f}], "syncs_per_s": [{:.0f}], "reservations_per_s": [{:.0f}],
"counters": {}, "file_bytes": {}, "heap_bytes": {}, "open_ms": {:.1f}, "write_ms": {:.1f},
"increments_of_many_per_s": {:.0f}}}
)",
        fmt::join(increments_per_s, ", "), fmt::join(syncs_per_s, ", "),
        fmt::join(reservations_per_s, ", "), many, big.file_bytes, big.heap_bytes, big.open_ms,
        big.write_ms, big.increments_per_s);
    return {};
}

}  // namespace

int main(int argc, char** argv) {
    const std::span words(argv, static_cast<std::size_t>(argc));
    const std::string_view number = argc > 1 ? words[1] : "3";
    int rounds = 0;
    std::from_chars(number.data(), number.data() + number.size(), rounds);
    const fs::path folder = (argc > 2 ? fs::path(words[2]) : fs::temp_directory_path()) /
                            fmt::format("quoin-counters-bench-{}", ::getpid());
    fs::create_directories(folder);
    const auto done = run(rounds, folder);
    fs::remove_all(folder);
    if (!done) fmt::print(stderr, "counters_bench: {}\n", done.error().message);
    return done ? 0 : 1;
}
