#include "server/telemetry/ingest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "server/bus/clock.hpp"

namespace quoin::telemetry {
namespace {

constexpr std::int64_t unknown_device_ms = 10'000;  // how long "not in the inventory" is remembered
constexpr std::int64_t idle_ms = 1000;

}  // namespace

Ingest::Ingest(store::Database& database, const server::Bus& bus, audit::Log& audit,
               IngestOptions options, Publish publish)
    : database_(database),
      bus_(bus),
      audit_(audit),
      options_(std::move(options)),
      publish_(std::move(publish)) {
    committer_ = std::thread([this] { run(); });
}

Ingest::~Ingest() { stop(); }

void Ingest::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    if (committer_.joinable()) committer_.join();
}

void Ingest::accept(const std::string& topic, std::string payload) {
    counters_.received.fetch_add(1, std::memory_order_relaxed);
    const std::int64_t now_ms = server::now_ms();
    Stream* const stream = find_stream(topic, now_ms);
    if (stream == nullptr) return;
    if (!take_token(*stream->device, now_ms)) {
        counters_.rejected.fetch_add(1, std::memory_order_relaxed);
        audit_.append(audit::Id::telemetry_rate_exceeded, stream->device->id,
                      {{"limit_per_s", static_cast<std::int64_t>(options_.rate_per_s)}});
        return;
    }
    if (payload.size() > max_sample_size) {
        return reject(
            stream->device->id, stream->name,
            fmt::format("oversize: {} bytes, the limit is {}", payload.size(), max_sample_size));
    }
    if (counters_.queued.load(std::memory_order_relaxed) >= options_.queue_capacity) {
        counters_.overflow.fetch_add(1, std::memory_order_relaxed);
        return;
    }
    std::size_t waiting = 0;
    {
        const std::lock_guard lock(mutex_);
        incoming_.push_back({stream, std::move(payload)});
        waiting = incoming_.size();
    }
    counters_.queued.fetch_add(1, std::memory_order_relaxed);
    if (waiting == 1 || waiting == options_.batch_rows) wake_.notify_one();
}

void Ingest::verdict(std::string device, bool trusted, std::int64_t at_ms) {
    {
        const std::lock_guard lock(mutex_);
        verdicts_.push_back({std::move(device), trusted, at_ms});
    }
    wake_.notify_one();
}

Ingest::Stream* Ingest::find_stream(const std::string& topic, std::int64_t now_ms) {
    const auto found = streams_.find(topic);
    return found != streams_.end() ? found->second.get() : add_stream(topic, now_ms);
}

Ingest::Stream* Ingest::add_stream(const std::string& topic, std::int64_t now_ms) {
    const auto parts = parse_topic(topic, options_.site);
    if (!parts) {
        reject("", "", parts.error().message);
        return nullptr;
    }
    auto device = devices_.find(parts->device);
    if (device == devices_.end()) {
        if (devices_.size() >= options_.max_devices) {
            reject(parts->device, parts->stream,
                   fmt::format("more than {} devices", options_.max_devices));
            return nullptr;
        }
        auto made = std::make_unique<Device>();
        made->id = parts->device;
        made->tokens = options_.burst;
        made->filled_ms = now_ms;
        device = devices_.emplace(std::string(parts->device), std::move(made)).first;
    }
    if (device->second->streams >= options_.max_streams) {
        reject(device->second->id, parts->stream,
               fmt::format("more than {} streams", options_.max_streams));
        return nullptr;
    }
    ++device->second->streams;
    auto stream = std::make_unique<Stream>();
    stream->device = device->second.get();
    stream->name = parts->stream;
    stream->ack_topic =
        fmt::format("quoin/{}/{}/ack/{}", options_.site, parts->device, parts->stream);
    return streams_.emplace(topic, std::move(stream)).first->second.get();
}

bool Ingest::take_token(Device& device, std::int64_t now_ms) const {
    const auto passed_ms =
        static_cast<double>(std::max<std::int64_t>(0, now_ms - device.filled_ms));
    device.tokens =
        std::min(options_.burst, device.tokens + passed_ms * options_.rate_per_s / 1000);
    device.filled_ms = now_ms;
    if (device.tokens < 1) return false;
    device.tokens -= 1;
    return true;
}

// The audit log itself keeps a flood of these bounded, and says how many there were.
void Ingest::reject(std::string_view device, std::string_view stream, std::string_view why) {
    counters_.rejected.fetch_add(1, std::memory_order_relaxed);
    audit_.append(audit::Id::telemetry_sample_rejected, device, {{"stream", stream}, {"why", why}});
}

void Ingest::give_up(const Stream& stream, const Contiguity::Dropped& dropped) {
    counters_.lost.fetch_add(dropped.count, std::memory_order_relaxed);
    audit_.append(audit::Id::telemetry_samples_dropped, stream.device->id,
                  {{"stream", stream.name},
                   {"count", dropped.count},
                   {"from", dropped.from},
                   {"to", dropped.to}});
}

// A crash may have come between a verdict and what follows from it: that is done before anything
// else.
bool Ingest::load_verdicts() {
    std::vector<UntrustedDevice> untrusted;
    const bool loaded = until_done("finding untrusted devices", [&]() -> Result<void> {
        QUOIN_TRY(distrust_, load_distrust(database_));
        QUOIN_TRY(untrusted, untrusted_devices(database_));
        return {};
    });
    return loaded && std::ranges::all_of(untrusted, [this](const UntrustedDevice& one) {
               return begin_distrust_of(one.device, one.verdict_ms);
           });
}

void Ingest::run() {
    if (!load_verdicts()) return;
    while (take_work()) {
        apply_verdicts();
        process_chunk();
        acknowledge_pending();
    }
}

// Waits for something to do. False: it is time to end.
bool Ingest::take_work() {
    std::unique_lock lock(mutex_);
    const auto has_work = [this] { return stopping_ || !incoming_.empty() || !verdicts_.empty(); };
    if (next_ == working_.size()) {
        const auto idle = pending_acks_.empty() ? idle_ms : options_.ack_interval_ms;
        wake_.wait_for(lock, std::chrono::milliseconds(idle), has_work);
        if (!incoming_.empty() && options_.linger_ms > 0) {
            wake_.wait_for(lock, std::chrono::milliseconds(options_.linger_ms),
                           [this] { return stopping_ || incoming_.size() >= options_.batch_rows; });
        }
        working_.clear();
        next_ = 0;
        working_.swap(incoming_);
    }
    verdict_work_.swap(verdicts_);  // empty before
    return !stopping_;
}

void Ingest::apply_verdicts() {
    for (const auto& [device, trusted, at_ms] : verdict_work_) {
        if (!(trusted ? end_distrust_of(device, at_ms) : begin_distrust_of(device, at_ms))) return;
    }
    verdict_work_.clear();
}

// Both: false means that it is time to end.
bool Ingest::begin_distrust_of(const std::string& device, std::int64_t verdict_ms) {
    std::int64_t marked = 0;
    const bool done = until_done("marking samples as suspect", [&]() -> Result<void> {
        QUOIN_TRY(marked, begin_distrust(database_, device, verdict_ms));
        return {};
    });
    if (!done) return false;
    distrust_[device] = 0;
    if (marked > 0) {
        audit_.append(audit::Id::telemetry_samples_suspect, device, {{"count", marked}});
    }
    return true;
}

bool Ingest::end_distrust_of(const std::string& device, std::int64_t pass_ms) {
    const auto found = distrust_.find(device);
    // Nearly every pass is one of many: nothing to write.
    if (found == distrust_.end() || found->second != 0) return true;
    const bool done = until_done("ending a distrust", [&]() -> Result<void> {
        return end_distrust(database_, device, pass_ms);
    });
    if (done) found->second = pass_ms;
    return done;
}

bool Ingest::is_suspect(const std::string& device, std::int64_t ts_ms, std::int64_t now_ms) const {
    const auto found = distrust_.find(device);
    return found != distrust_.end() && suspects(found->second, ts_ms, now_ms);
}

void Ingest::process_chunk() {
    const std::size_t size = std::min(options_.batch_rows, working_.size() - next_);
    if (size == 0) return;
    const auto items = std::span(working_).subspan(next_, size);
    next_ += size;
    if (!open_new_streams(items)) return;
    const std::int64_t now_ms = server::now_ms();
    for (Item& item : items) take_in(item, now_ms);
    counters_.queued.fetch_sub(size, std::memory_order_relaxed);
    if (!commit_batch()) return;
    announce_batch();
    acknowledge_batch();
}

bool Ingest::open_new_streams(std::span<Item> items) {
    std::vector<Stream*> fresh;
    std::vector<StreamName> names;
    const std::int64_t now_ms = server::now_ms();
    for (const Item& item : items) {
        Stream& stream = *item.stream;
        if (stream.opened || stream.unknown_until_ms > now_ms) continue;
        stream.unknown_until_ms = now_ms + unknown_device_ms;  // also: once in this list
        fresh.push_back(&stream);
        names.push_back({stream.device->id, stream.name});
    }
    if (fresh.empty()) return true;
    std::vector<OpenedStream> opened;
    const bool done = until_done("opening streams", [&]() -> Result<void> {
        QUOIN_TRY(opened, open_streams(database_, names));
        return {};
    });
    if (!done) return false;
    for (std::size_t i = 0; i < fresh.size(); ++i) {
        if (!opened[i].known_device) continue;
        Stream& stream = *fresh[i];
        stream.opened = true;
        stream.key = opened[i].key;
        stream.contiguity = Contiguity(opened[i].contiguous);
        stream.saved = opened[i].contiguous;
        Contiguity::Dropped none;
        for (const std::uint64_t seq : opened[i].above) stream.contiguity.add(seq, 1, none);
    }
    return true;
}

void Ingest::touch(Stream& stream) {
    if (stream.touched) return;
    stream.touched = true;
    touched_.push_back(&stream);
}

void Ingest::take_in(Item& item, std::int64_t now_ms) {
    Stream& stream = *item.stream;
    const std::string& device = stream.device->id;
    if (!stream.opened) {
        return reject(device, stream.name, "the device is not in the inventory");
    }
    const auto parsed = parser_.parse(bytes_of(item.payload), now_ms);
    if (!parsed) {
        reject(device, stream.name, parsed.error().message);
        if (const Sample* untimely = parser_.untimely()) settle(stream, *untimely);
        return;
    }
    Sample& sample = **parsed;
    touch(stream);
    Contiguity::Dropped dropped;
    switch (stream.contiguity.add(sample.seq, sample.low, dropped)) {
        case Contiguity::Outcome::too_far:
            return reject(
                device, stream.name,
                fmt::format("seq: {} is more than {} above the acknowledged {}", sample.seq,
                            Contiguity::window, stream.contiguity.contiguous()));
        case Contiguity::Outcome::duplicate:
            counters_.duplicates.fetch_add(1, std::memory_order_relaxed);
            break;
        case Contiguity::Outcome::fresh:
            rows_.push_back(&stream);
            batch_.stream_keys.push_back(stream.key);
            batch_.seqs.push_back(static_cast<std::int64_t>(sample.seq));
            batch_.ts_ms.push_back(sample.ts_ms);
            batch_.stored_ms.push_back(now_ms);
            batch_.suspect.push_back(is_suspect(device, sample.ts_ms, now_ms) ? 1 : 0);
            batch_.values.push_back(std::move(sample.values_json));
            break;
    }
    if (dropped.count > 0) give_up(stream, dropped);
}

// Measured while the device's clock was wrong: it would come again until its time has come, and
// hold up what is behind it. So it is given up.
void Ingest::settle(Stream& stream, const Sample& untimely) {
    touch(stream);
    Contiguity::Dropped dropped;
    if (stream.contiguity.add(untimely.seq, untimely.low, dropped) == Contiguity::Outcome::fresh) {
        give_up(stream, {.count = 1, .from = untimely.seq, .to = untimely.seq});
    }
    if (dropped.count > 0) give_up(stream, dropped);
}

bool Ingest::commit_batch() {
    for (Stream* stream : touched_) {
        const std::uint64_t contiguous = stream->contiguity.contiguous();
        if (contiguous != stream->saved) batch_.progress.push_back({stream->key, contiguous});
    }
    if (batch_.empty()) return true;
    const auto begun = std::chrono::steady_clock::now();
    const bool done = until_done("committing samples", [&]() -> Result<void> {
        QUOIN_CHECK(store_batch(database_, batch_));
        return {};
    });
    if (!done) return false;
    for (Stream* stream : touched_) stream->saved = stream->contiguity.contiguous();
    counters_.stored.fetch_add(rows_.size(), std::memory_order_relaxed);
    counters_.commits.fetch_add(1, std::memory_order_relaxed);
    counters_.commit_time.add(std::chrono::duration_cast<std::chrono::milliseconds>(
                                  std::chrono::steady_clock::now() - begun)
                                  .count());
    return true;
}

void Ingest::announce_batch() {
    if (!rows_.empty()) {
        server::SamplesStored event;
        event.samples.reserve(rows_.size());
        for (std::size_t i = 0; i < rows_.size(); ++i) {
            event.samples.push_back({.device = rows_[i]->device->id,
                                     .stream = rows_[i]->name,
                                     .seq = static_cast<std::uint64_t>(batch_.seqs[i]),
                                     .ts_ms = batch_.ts_ms[i],
                                     .stored_ms = batch_.stored_ms[i],
                                     .suspect = batch_.suspect[i] != 0,
                                     .values_json = std::move(batch_.values[i])});
        }
        bus_.samples_stored.publish(event);
    }
    rows_.clear();
    batch_.clear();
}

void Ingest::acknowledge_batch() {
    const std::int64_t now_ms = server::now_ms();
    for (Stream* stream : touched_) {
        stream->touched = false;
        if (stream->ack_pending || acknowledge(*stream, now_ms)) continue;
        stream->ack_pending = true;
        pending_acks_.push_back(stream);
    }
    touched_.clear();
}

void Ingest::acknowledge_pending() {
    const std::int64_t now_ms = server::now_ms();
    std::erase_if(pending_acks_, [&](Stream* stream) {
        if (!acknowledge(*stream, now_ms)) return false;
        stream->ack_pending = false;
        return true;
    });
}

// Publishes what the database has, unless it is too soon after the last time (false).
bool Ingest::acknowledge(Stream& stream, std::int64_t now_ms) {
    if (stream.saved == 0) return true;
    const bool is_due = now_ms - stream.acked_ms >= options_.ack_interval_ms ||
                        now_ms < stream.acked_ms ||  // the clock was set back
                        stream.saved - stream.acked >= options_.ack_stride;
    if (!is_due) return false;
    stream.acked = stream.saved;
    stream.acked_ms = now_ms;
    publish_(stream.ack_topic, fmt::format(R"({{"seq":{}}})", stream.saved));
    counters_.acks.fetch_add(1, std::memory_order_relaxed);
    return true;
}

bool Ingest::until_done(std::string_view what, const std::function<Result<void>()>& work) {
    constexpr std::int64_t first_wait_ms = 50;
    constexpr std::int64_t longest_wait_ms = 2000;
    std::int64_t wait_ms = first_wait_ms;
    for (;;) {
        const auto done = work();
        if (done) break;
        counters_.commit_failures.fetch_add(1, std::memory_order_relaxed);
        if (ready_.exchange(false)) {
            audit_.append(audit::Id::telemetry_store_failed, "",
                          {{"doing", what}, {"why", done.error().message}});
        }
        if (is_stopping_after(wait_ms)) return false;
        wait_ms = std::min(2 * wait_ms, longest_wait_ms);
    }
    if (!ready_.exchange(true)) {
        audit_.append(audit::Id::telemetry_store_recovered, "", {{"doing", what}});
    }
    return true;
}

bool Ingest::is_stopping_after(std::int64_t wait_ms) {
    std::unique_lock lock(mutex_);
    return wake_.wait_for(lock, std::chrono::milliseconds(wait_ms), [this] { return stopping_; });
}

}  // namespace quoin::telemetry
