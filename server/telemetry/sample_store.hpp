// Streams and samples in the database: what the committer writes, what the API reads.
//
// Errors: those of store::Database, and input_invalid for a filter out of range.
// Threads: any; every call is one transaction of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "host/error.hpp"
#include "host/store/database.hpp"
#include "server/bus/bus.hpp"

namespace quoin::telemetry {

// A stream as the database knows it.
struct OpenedStream {
    bool known_device = false;  // false: the device is not in the inventory, the rest is empty
    std::int64_t key = 0;
    std::uint64_t contiguous = 0;
    std::vector<std::uint64_t> above;  // sequences that are there above it, in order
};
struct StreamName {
    std::string_view device;
    std::string_view stream;
};
// Looks the streams up, and makes those that are not there yet for known devices.
Result<std::vector<OpenedStream>> open_streams(store::Database& database,
                                               std::span<const StreamName> names);

// One batch, column by column.
struct Batch {
    std::vector<std::int64_t> stream_keys, seqs, ts_ms, stored_ms, suspect;
    std::vector<std::string> values;
    struct Progress {
        std::int64_t key;
        std::uint64_t contiguous;
    };
    std::vector<Progress> progress;

    bool empty() const { return stream_keys.empty() && progress.empty(); }
    void clear();
};
// Stores the rows that are not there yet and the progress of their streams, all or nothing. Safe to
// repeat when it is not known whether it was committed. Takes the columns out of `batch` and puts
// them back. Returns how many rows were new.
Result<std::int64_t> store_batch(store::Database& database, Batch& batch);

inline constexpr std::size_t max_page = 10'000;

struct SampleFilter {
    std::string device = {};      // empty: all
    std::string stream = {};      // empty: all
    std::uint64_t after_seq = 0;  // only above it, in each stream
    std::int64_t from_ms = 0;     // ts_ms >= from_ms
    std::int64_t to_ms = 0;       // ts_ms < to_ms; 0: no end
    std::size_t limit = 1000;     // 1 .. max_page
    bool last = false;            // the newest `limit` instead of the first
};
// Ordered by device, stream and seq; with `last` by the time they were stored, oldest first.
Result<std::vector<server::SampleStored>> query(store::Database& database,
                                                const SampleFilter& filter);

// All samples of a filter, page by page (`limit` and `last` are ignored), ordered as in query.
// Between pages nothing is locked: samples stored meanwhile may or may not be included.
class Export {
public:
    Export(store::Database& database, SampleFilter filter);
    // The next page; empty: the end.
    Result<std::vector<server::SampleStored>> next();

private:
    store::Database& database_;
    SampleFilter filter_;
    std::string device_, stream_;  // where the last page ended
    std::uint64_t seq_ = 0;
    bool ended_ = false;
};

Result<std::int64_t> sample_count(store::Database& database);

}  // namespace quoin::telemetry
