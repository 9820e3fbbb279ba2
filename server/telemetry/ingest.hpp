// From MQTT messages to committed rows and acknowledgements.
//
//   accept()            the MQTT client's thread: topic, rate, size; then a bounded queue
//       | queue
//   committer thread    parse, window, one transaction a batch, then acknowledge
//
// A sample is acknowledged only after the commit that holds it (or found it there). A batch that
// cannot be committed is kept and tried again; meanwhile the queue fills and further samples are
// dropped without an acknowledgement: the device sends them again.
//
// Threads: accept() from one thread; verdict(), counters and ready() from any.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "host/audit/audit.hpp"
#include "host/store/database.hpp"
#include "server/bus/bus.hpp"
#include "server/bus/histogram.hpp"
#include "server/telemetry/contiguity.hpp"
#include "server/telemetry/distrust.hpp"
#include "server/telemetry/sample.hpp"
#include "server/telemetry/sample_store.hpp"

namespace quoin::telemetry {

struct IngestOptions {
    std::string site;
    double rate_per_s = 1000;      // samples of one device
    double burst = 5000;           // a device may send its whole window at once after a reconnect
    std::size_t max_streams = 64;  // of one device
    std::size_t max_devices = 100'000;
    std::size_t queue_capacity = 50'000;
    std::size_t batch_rows = 1000;
    std::int64_t linger_ms = 5;         // how long a batch waits for more
    std::int64_t ack_interval_ms = 50;  // per stream; the first and every `ack_stride` come at once
    std::uint64_t ack_stride = 200;
};

// For /metrics and /readyz.
struct IngestCounters {
    std::atomic<std::uint64_t> received{0};    // messages on telemetry topics
    std::atomic<std::uint64_t> stored{0};      // rows committed
    std::atomic<std::uint64_t> duplicates{0};  // there already
    std::atomic<std::uint64_t> rejected{0};    // not valid, or over a limit
    std::atomic<std::uint64_t> overflow{0};    // dropped because the queue was full
    std::atomic<std::uint64_t> lost{0};        // given up by devices (their `low`)
    std::atomic<std::uint64_t> commits{0};
    std::atomic<std::uint64_t> commit_failures{0};
    server::Histogram commit_time;  // of a batch, failed attempts included
    std::atomic<std::uint64_t> acks{0};
    std::atomic<std::uint64_t> queued{0};  // now
};

// Sends an acknowledgement. Called on the committer's thread.
using Publish = std::function<void(std::string topic, std::string payload)>;

class Ingest {
public:
    // The first three must outlive it.
    Ingest(store::Database& database, const server::Bus& bus, audit::Log& audit,
           IngestOptions options, Publish publish);
    ~Ingest();  // stops
    Ingest(const Ingest&) = delete;
    Ingest& operator=(const Ingest&) = delete;

    // Ends the committer after the batch in hand; what is queued was not acknowledged.
    void stop();
    void accept(const std::string& topic, std::string payload);
    // The device's verdict changed: untrusted marks what it stored since its last pass, and what
    // comes until its next one and out of its queue behind that (distrust.hpp).
    void verdict(std::string device, bool trusted, std::int64_t at_ms);

    const IngestCounters& counters() const { return counters_; }
    // False while the database refuses commits.
    bool ready() const { return ready_; }

private:
    struct Device {
        // accept() only.
        double tokens = 0;
        std::int64_t filled_ms = 0;
        std::size_t streams = 0;
        std::string id;
    };
    struct Stream {
        Device* device = nullptr;
        std::string name;
        std::string ack_topic;
        // The committer only.
        bool opened = false;
        bool touched = false;      // in touched_
        bool ack_pending = false;  // in pending_acks_
        std::int64_t key = 0;
        std::int64_t unknown_until_ms = 0;
        std::int64_t acked_ms = 0;
        std::uint64_t acked = 0;
        std::uint64_t saved = 0;  // contiguous as the database has it
        Contiguity contiguity;
    };
    struct Item {
        Stream* stream;
        std::string payload;
    };
    struct VerdictChange {
        std::string device;
        bool trusted;
        std::int64_t at_ms;
    };
    struct TextHash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const {
            return std::hash<std::string_view>{}(text);
        }
    };
    template <class Value>
    using Index = std::unordered_map<std::string, Value, TextHash, std::equal_to<>>;

    // accept() side.
    Stream* find_stream(const std::string& topic, std::int64_t now_ms);
    Stream* add_stream(const std::string& topic, std::int64_t now_ms);
    bool take_token(Device& device, std::int64_t now_ms) const;
    void reject(std::string_view device, std::string_view stream, std::string_view why);

    // The committer's side.
    void run();
    bool take_work();
    bool load_verdicts();
    void apply_verdicts();
    bool begin_distrust_of(const std::string& device, std::int64_t verdict_ms);
    bool end_distrust_of(const std::string& device, std::int64_t pass_ms);
    bool is_suspect(const std::string& device, std::int64_t ts_ms, std::int64_t now_ms) const;
    void process_chunk();
    bool open_new_streams(std::span<Item> items);
    void touch(Stream& stream);
    void take_in(Item& item, std::int64_t now_ms);
    void settle(Stream& stream, const Sample& untimely);
    bool commit_batch();
    void announce_batch();
    void acknowledge_batch();
    void acknowledge_pending();
    bool acknowledge(Stream& stream, std::int64_t now_ms);
    void give_up(const Stream& stream, const Contiguity::Dropped& dropped);
    // Repeats until `work` succeeds; false: it is time to end.
    bool until_done(std::string_view what, const std::function<Result<void>()>& work);
    bool is_stopping_after(std::int64_t wait_ms);

    store::Database& database_;
    const server::Bus& bus_;
    audit::Log& audit_;
    const IngestOptions options_;
    const Publish publish_;
    IngestCounters counters_;
    std::atomic<bool> ready_{true};

    // accept() only. Nothing is ever taken out, so that the committer may keep pointers.
    Index<std::unique_ptr<Stream>> streams_;  // by topic
    Index<std::unique_ptr<Device>> devices_;

    std::mutex mutex_;
    std::condition_variable wake_;
    std::vector<Item> incoming_;
    std::vector<VerdictChange> verdicts_;
    bool stopping_ = false;

    // The committer only.
    SampleParser parser_;
    std::vector<Item> working_;
    std::size_t next_ = 0;  // in working_
    std::vector<VerdictChange> verdict_work_;
    Batch batch_;
    std::vector<Stream*> rows_;     // the stream of each row of batch_
    std::vector<Stream*> touched_;  // streams of this batch
    std::vector<Stream*> pending_acks_;
    Distrust distrust_;  // as the database has it

    std::thread committer_;
};

}  // namespace quoin::telemetry
