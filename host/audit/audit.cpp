#include "host/audit/audit.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>

#include "host/audit/file.hpp"
#include "host/audit/throttle.hpp"
#include "host/x509/identity.hpp"

namespace quoin::audit {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t max_group_events = 512;
constexpr std::chrono::seconds retry_after{1};
constexpr std::chrono::seconds flush_limit{10};

std::int64_t now_ms() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

Event make_event(Id id, std::string_view subject, Detail detail) {
    Event event{.time_ms = now_ms(),
                .id = id,
                .severity = row(id).severity,
                .subject = std::string(subject)};
    if (!subject.empty() && !x509::is_valid_id(subject)) {
        event.subject.clear();
        detail.insert(detail.begin(), Entry{"unchecked_subject", subject});
    }
    event.detail = encode_detail(detail);
    return event;
}

}  // namespace

struct Log::State {
    State(LogOptions given, File opened) : options(std::move(given)), file(std::move(opened)) {}

    LogOptions options;
    // The writer's own.
    File file;
    Clock::time_point signed_at = Clock::now();
    std::thread writer;

    std::array<std::atomic<std::uint64_t>, catalogue.size()> counts{};

    mutable std::mutex mutex;
    std::condition_variable work;          // for the writer
    mutable std::condition_variable news;  // for listeners and flush()
    // All below: under the mutex.
    std::deque<Event> queue;
    Throttle throttle{options.burst, options.refill};
    std::uint64_t lost = 0;
    std::uint64_t queued = 0;   // ever
    std::uint64_t written = 0;  // of them
    std::deque<Event> recent;
    std::uint64_t last_number = 0;
    bool closing = false;
    std::optional<Error> trouble;
    std::optional<Signer> next_signer;

    void run();
    std::vector<Event> take_group(std::unique_lock<std::mutex>& lock);
    Result<std::vector<Event>> write(std::vector<Event>& group, bool last);
    void publish(std::vector<Event> events);
    void enqueue(Event event);
    void queue_suppressed(bool all);
    std::vector<Event> after(std::uint64_t number, std::size_t limit) const;
};

void Log::State::enqueue(Event event) {
    if (queue.size() >= options.queue_events) {
        ++lost;
        return;
    }
    queue.push_back(std::move(event));
    ++queued;
}

void Log::State::queue_suppressed(bool all) {
    for (const auto& each : throttle.take_due(Clock::now(), all)) {
        enqueue(make_event(Id::audit_events_suppressed, each.subject,
                           {{"id", row(each.id).name}, {"count", each.count}}));
    }
}

// Waits for work: events, a checkpoint that is due, or the end.
std::vector<Event> Log::State::take_group(std::unique_lock<std::mutex>& lock) {
    const auto patience = file.unsigned_events() > 0 ? signed_at + options.checkpoint_after
                                                     : Clock::now() + std::chrono::hours(1);
    const auto tick = throttle.has_suppressed() ? Clock::now() + std::chrono::seconds(1) : patience;
    if (trouble) {
        work.wait_for(lock, retry_after, [&] { return closing; });
    } else {
        work.wait_until(lock, std::min(patience, tick), [&] { return closing || !queue.empty(); });
    }
    queue_suppressed(closing);
    std::vector<Event> group;
    if (lost > 0) {
        group.push_back(make_event(Id::audit_events_lost, "", {{"count", lost}}));
        ++queued;
        lost = 0;
    }
    while (!queue.empty() && group.size() < max_group_events) {
        group.push_back(std::move(queue.front()));
        queue.pop_front();
    }
    return group;
}

Result<std::vector<Event>> Log::State::write(std::vector<Event>& group, bool last) {
    File::Group staged = file.begin();
    for (const Event& event : group) {
        QUOIN_CHECK(staged.add(event));
        if (staged.unsigned_events() >= options.checkpoint_events || staged.is_signature_due()) {
            QUOIN_CHECK(staged.sign(now_ms()));
        }
    }
    const auto is_grave = [](const Event& event) { return event.severity <= Severity::critical; };
    const bool due = last || Clock::now() >= signed_at + options.checkpoint_after ||
                     std::ranges::any_of(group, is_grave);
    if (due && staged.unsigned_events() > 0) QUOIN_CHECK(staged.sign(now_ms()));
    const bool has_signed = staged.has_signed();
    QUOIN_TRY(std::vector<Event> events, file.commit(std::move(staged)));
    if (has_signed) signed_at = Clock::now();
    return events;
}

void Log::State::publish(std::vector<Event> events) {
    for (Event& event : events) {
        last_number = event.number;
        if (event.id == Id::audit_chain_checkpoint) continue;
        recent.push_back(std::move(event));
        if (recent.size() > options.recent_events) recent.pop_front();
    }
}

void Log::State::run() {
    std::unique_lock lock(mutex);
    for (;;) {
        std::vector<Event> group = take_group(lock);
        const bool last = closing && queue.empty();
        if (next_signer) file.replace_signer(*std::exchange(next_signer, std::nullopt));
        lock.unlock();
        auto events = write(group, last);
        lock.lock();
        if (events) {
            trouble.reset();
            written += group.size();
            publish(*std::move(events));
        } else {
            trouble = events.error();
            // Back in front, in order; the numbers were not used.
            for (auto each = group.rbegin(); each != group.rend(); ++each)
                queue.push_front(std::move(*each));
        }
        news.notify_all();
        if (closing && (last || trouble)) return;
    }
}

std::vector<Event> Log::State::after(std::uint64_t number, std::size_t limit) const {
    std::vector<Event> out;
    auto from = std::ranges::upper_bound(recent, number, {}, &Event::number);
    for (; from != recent.end() && out.size() < limit; ++from) out.push_back(*from);
    return out;
}

Result<std::unique_ptr<Log>> Log::open(LogOptions options, crypto::PrivateKey key) {
    QUOIN_TRY(File file, File::open(options.file, std::move(key), options.earlier_keys));
    std::vector<Event> before = file.take_recovered();
    const std::size_t removed = file.removed_bytes();
    const bool is_new = file.number() == 0;
    auto state = std::make_unique<State>(std::move(options), std::move(file));
    std::vector<Event> first;
    if (is_new) {
        QUOIN_TRY(const std::string name, crypto::random_hex(16));
        first.push_back(make_event(Id::audit_log_created, "", {{"log", name}, {"format", 1}}));
    }
    if (removed > 0) {
        first.push_back(make_event(Id::audit_log_repaired, "", {{"removed_bytes", removed}}));
    }
    state->publish(std::move(before));
    state->last_number = state->file.number();
    // A log is signed from its beginning: one without a checkpoint is no log.
    if (!first.empty()) {
        QUOIN_TRY(std::vector<Event> events, state->write(first, true));
        state->publish(std::move(events));
    }
    State* const raw = state.get();
    state->writer = std::thread([raw] { raw->run(); });
    return std::unique_ptr<Log>(new Log(std::move(state)));
}

Log::Log(std::unique_ptr<State> state) : state_(std::move(state)) {}

Log::~Log() {
    {
        const std::lock_guard lock(state_->mutex);
        state_->closing = true;
    }
    state_->work.notify_all();
    state_->news.notify_all();
    state_->writer.join();
}

Result<void> Log::replace_key(crypto::PrivateKey key) {
    QUOIN_TRY(Signer signer, Signer::of(std::move(key)));
    const std::lock_guard lock(state_->mutex);
    state_->next_signer = std::move(signer);
    return {};
}

void Log::append(Id id, std::string_view subject, const Detail& detail) {
    state_->counts[static_cast<std::size_t>(id)].fetch_add(1, std::memory_order_relaxed);
    const std::lock_guard lock(state_->mutex);
    const bool known = x509::is_valid_id(subject);
    if (!state_->throttle.admit(id, known ? subject : std::string_view(), Clock::now())) return;
    state_->enqueue(make_event(id, subject, detail));
    state_->work.notify_one();
}

Result<void> Log::flush() {
    std::unique_lock lock(state_->mutex);
    const std::uint64_t wanted = state_->queued;
    if (state_->news.wait_for(lock, flush_limit, [&] { return state_->written >= wanted; }))
        return {};
    if (state_->trouble) return std::unexpected(*state_->trouble);
    return fail(Code::resource_timeout, "audit log {}: not written within {} s",
                state_->options.file.string(), flush_limit.count());
}

std::vector<Event> Log::events_after(std::uint64_t number, std::size_t limit) const {
    const std::lock_guard lock(state_->mutex);
    return state_->after(number, limit);
}

std::vector<Event> Log::wait_after(std::uint64_t number, std::size_t limit,
                                   std::chrono::milliseconds wait) const {
    std::unique_lock lock(state_->mutex);
    state_->news.wait_for(lock, wait, [&] {
        return state_->closing ||
               (!state_->recent.empty() && state_->recent.back().number > number);
    });
    return state_->after(number, limit);
}

std::uint64_t Log::last_number() const {
    const std::lock_guard lock(state_->mutex);
    return state_->last_number;
}

std::vector<std::pair<std::string_view, std::uint64_t>> Log::counts() const {
    std::vector<std::pair<std::string_view, std::uint64_t>> out;
    out.reserve(catalogue.size());
    for (const CatalogueRow& each : catalogue) {
        out.emplace_back(each.name, state_->counts[static_cast<std::size_t>(each.id)].load());
    }
    return out;
}

Result<void> Log::health() const {
    const std::lock_guard lock(state_->mutex);
    if (state_->trouble) return std::unexpected(*state_->trouble);
    return {};
}

}  // namespace quoin::audit
