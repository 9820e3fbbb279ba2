// The disk queue: store and forward. A sample leaves it only when the data server has committed it.
//
// One SQLite file. A sample's sequence number, the sample and its source's cursor are written in
// one transaction, so that a kill at any moment neither loses, repeats nor renumbers a sample.
// Sequences of a stream grow by one from 1 and survive the emptying of the queue. Bounds: rows and
// bytes; what happens at the bound is the policy:
//   block        nothing is written, the source waits (the cursor stays): nothing is lost here
//   drop_newest  the new sample is dropped, without a number; the cursor moves
//   drop_oldest  the oldest samples go, over all streams; `low` of their stream rises
// Errors: resource_full (disk), resource_unavailable, integrity_mismatch (a damaged file); a
// failing call has changed nothing. Threads: any.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "agent/sample.hpp"
#include "host/error.hpp"
#include "host/store/database.hpp"

namespace quoin::agent {

enum class WhenFull : std::uint8_t { block, drop_newest, drop_oldest };

struct QueueLimits {
    std::uint64_t max_rows = 200'000;
    std::uint64_t max_bytes = 256ULL << 20U;  // of samples; the file is somewhat larger
    WhenFull when_full = WhenFull::block;
};

// Where a source is in what it reads; opaque to the queue.
struct Cursor {
    std::string source;
    std::string position;
};

enum class Added : std::uint8_t { stored, dropped, full };

struct Held {
    std::uint64_t seq;
    std::int64_t ts_ms;
    std::string values;  // JSON object
};

struct StreamState {
    std::string name;
    std::uint64_t first = 1;  // lowest sequence still held; `next` when none is
    std::uint64_t next = 1;   // the next sequence to be given
    std::uint64_t rows = 0;
};

struct Acked {
    bool progress = false;  // some sample left the queue
    // The server knew more than this queue has ever numbered: the file was lost or set back. What
    // is held was renumbered above it.
    std::vector<std::string> renumbered;
};

class Queue {
public:
    static Result<std::unique_ptr<Queue>> open(const std::filesystem::path& file,
                                               QueueLimits limits);

    // All samples and the cursor, or nothing. More than max_rows / 2 in one call is input_invalid.
    // `dropped`: at least one sample was dropped by the policy.
    Result<Added> add(std::span<const Sample> samples, const std::optional<Cursor>& cursor);
    // After Added::full: waits until something left the queue, or `stop`, or a second.
    void wait_for_room(const std::stop_token& stop);

    Result<std::optional<std::string>> cursor(std::string_view source);
    std::vector<StreamState> streams() const;
    // From `from` upwards, in the order of sequences, at most `limit`.
    Result<std::vector<Held>> read(std::string_view stream, std::uint64_t from, std::size_t limit);
    // Everything up to and with these sequences is committed by the server.
    Result<Acked> acknowledge(const std::map<std::string, std::uint64_t>& committed);

    std::uint64_t rows() const;
    std::uint64_t bytes() const;
    std::uint64_t dropped() const;  // by the policy, since the start

    // Called after each add, on the adding thread. What it uses outlives the sources.
    void on_added(std::function<void()> listener);

private:
    struct Totals {
        std::uint64_t rows = 0;
        std::uint64_t bytes = 0;
        std::uint64_t dropped = 0;
        std::map<std::string, StreamState, std::less<>> streams;
    };

    Queue(std::unique_ptr<store::Database> database, QueueLimits limits)
        : database_(std::move(database)), limits_(limits) {}
    Result<void> load();
    static Result<Totals> load_totals(soci::session& session);
    bool has_room(const Totals& totals, std::size_t rows, std::size_t bytes) const;
    Result<Added> add_in(soci::session& session, Totals& totals, std::span<const Sample> samples,
                         std::span<const std::string> bodies, const std::optional<Cursor>& cursor);
    static void put(soci::session& session, Totals& totals, const Sample& sample,
                    const std::string& body);
    static bool drop_one(soci::session& session, Totals& totals);
    static bool acknowledge_in(soci::session& session, Totals& totals, const std::string& stream,
                               std::uint64_t seq, Acked& acked);

    std::unique_ptr<store::Database> database_;
    const QueueLimits limits_;
    mutable std::mutex mutex_;
    std::function<void()> on_added_;  // guarded by mutex_
    std::condition_variable_any room_;
    Totals totals_;  // guarded by mutex_, as the calls to the database are
};

Result<WhenFull> when_full_by_name(std::string_view name);

}  // namespace quoin::agent
