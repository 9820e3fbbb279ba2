#include "agent/queue.hpp"

#include <soci/soci.h>
#include <spdlog/spdlog.h>

#include <array>
#include <chrono>

namespace quoin::agent {
namespace {

// What a row costs beside its values, about: keys, index, page overhead.
constexpr std::uint64_t row_overhead_bytes = 96;
// Acknowledgements for streams that this device does not have make no more rows than this.
constexpr std::size_t max_streams = 256;

constexpr std::array migrations{
    store::Migration{
        1,
        "CREATE TABLE stream (name TEXT PRIMARY KEY, next_seq BIGINT NOT NULL);\n"
        "CREATE TABLE sample (id INTEGER PRIMARY KEY, stream TEXT NOT NULL,"
        " seq BIGINT NOT NULL, ts_ms BIGINT NOT NULL, body TEXT NOT NULL);\n"
        "CREATE UNIQUE INDEX sample_by_seq ON sample (stream, seq);\n"
        "CREATE TABLE source_cursor (source TEXT PRIMARY KEY, position TEXT NOT NULL)"},
};

std::int64_t to_sql(std::uint64_t value) { return static_cast<std::int64_t>(value); }
std::uint64_t from_sql(std::int64_t value) { return static_cast<std::uint64_t>(value); }

std::int64_t now_ms() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

std::uint64_t cost_of(std::size_t body_size) { return body_size + row_overhead_bytes; }

// Names the file in an error of the database.
template <class T>
Result<T> in_queue(Result<T> result) {
    if (!result) result.error().message = "queue: " + result.error().message;
    return result;
}

}  // namespace

Result<WhenFull> when_full_by_name(std::string_view name) {
    if (name == "block") return WhenFull::block;
    if (name == "drop_newest") return WhenFull::drop_newest;
    if (name == "drop_oldest") return WhenFull::drop_oldest;
    return fail(Code::config_invalid,
                "when_full \"{}\" is not known; use block, drop_newest or drop_oldest", name);
}

Result<std::unique_ptr<Queue>> Queue::open(const std::filesystem::path& file, QueueLimits limits) {
    const auto url = "sqlite://" + std::filesystem::absolute(file).string();
    QUOIN_TRY(auto database, in_queue(store::Database::open(url, 1)));
    QUOIN_CHECK(in_queue(database->migrate(migrations)));
    std::unique_ptr<Queue> queue(new Queue(std::move(database), limits));
    QUOIN_CHECK(queue->load());
    return queue;
}

Result<void> Queue::load() {
    QUOIN_TRY(
        totals_,
        in_queue(database_->read([](soci::session& session) { return load_totals(session); })));
    return {};
}

Result<Queue::Totals> Queue::load_totals(soci::session& session) {
    Totals totals;
    std::string name;
    std::int64_t next = 0;
    std::int64_t rows = 0;
    std::int64_t first = 0;
    std::int64_t size = 0;
    soci::statement select =
        (session.prepare << "SELECT s.name, s.next_seq, COUNT(q.seq),"
                            " COALESCE(MIN(q.seq), s.next_seq),"
                            " COALESCE(SUM(LENGTH(CAST(q.body AS BLOB))), 0)"
                            " FROM stream s LEFT JOIN sample q ON q.stream = s.name"
                            " GROUP BY s.name, s.next_seq",
         soci::into(name), soci::into(next), soci::into(rows), soci::into(first), soci::into(size));
    select.execute();
    while (select.fetch()) {
        totals.streams[name] = {name, from_sql(first), from_sql(next), from_sql(rows)};
        totals.rows += from_sql(rows);
        totals.bytes += from_sql(size) + from_sql(rows) * row_overhead_bytes;
    }
    return totals;
}

bool Queue::has_room(const Totals& totals, std::size_t rows, std::size_t bytes) const {
    return totals.rows + rows <= limits_.max_rows && totals.bytes + bytes <= limits_.max_bytes;
}

Result<Added> Queue::add(std::span<const Sample> samples, const std::optional<Cursor>& cursor) {
    if (samples.size() > limits_.max_rows / 2) {
        return fail(Code::input_invalid, "queue: {} samples at once; max_rows is {}",
                    samples.size(), limits_.max_rows);
    }
    std::vector<std::string> bodies;
    std::size_t bytes = 0;
    for (const Sample& sample : samples) {
        if (!is_sample_time(sample.ts_ms, now_ms())) {
            return fail(Code::input_invalid,
                        "stream {}: the time {} ms is before 2000 or in the future; set the clock",
                        sample.stream, sample.ts_ms);
        }
        QUOIN_TRY(std::string body, values_json(sample));
        // seq, low, ts and the names around them take less than 128 bytes.
        if (body.size() + 128 > max_message_bytes) {
            return fail(Code::input_invalid, "stream {}: a sample of {} bytes; {} are the limit",
                        sample.stream, body.size(), max_message_bytes - 128);
        }
        bytes += cost_of(body.size());
        bodies.push_back(std::move(body));
    }
    Added added = Added::stored;
    std::function<void()> tell;
    {
        const std::lock_guard lock(mutex_);
        if (limits_.when_full == WhenFull::block && !has_room(totals_, samples.size(), bytes)) {
            return Added::full;
        }
        Totals changed = totals_;
        QUOIN_TRY(added, in_queue(database_->transaction([&](soci::session& session) {
                      return add_in(session, changed, samples, bodies, cursor);
                  })));
        totals_ = std::move(changed);
        tell = on_added_;
    }
    if (!samples.empty() && tell) tell();
    return added;
}

void Queue::on_added(std::function<void()> listener) {
    const std::lock_guard lock(mutex_);
    on_added_ = std::move(listener);
}

Result<Added> Queue::add_in(soci::session& session, Totals& totals, std::span<const Sample> samples,
                            std::span<const std::string> bodies,
                            const std::optional<Cursor>& cursor) {
    const std::uint64_t dropped_before = totals.dropped;
    for (std::size_t i = 0; i < samples.size(); ++i) {
        const std::size_t cost = cost_of(bodies[i].size());
        if (limits_.when_full == WhenFull::drop_oldest) {
            while (!has_room(totals, 1, cost) && drop_one(session, totals)) ++totals.dropped;
        }
        if (!has_room(totals, 1, cost)) {
            ++totals.dropped;
            continue;
        }
        put(session, totals, samples[i], bodies[i]);
    }
    if (cursor) {
        session << "INSERT INTO source_cursor (source, position) VALUES (:source, :position)"
                   " ON CONFLICT (source) DO UPDATE SET position = excluded.position",
            soci::use(cursor->source), soci::use(cursor->position);
    }
    return totals.dropped == dropped_before ? Added::stored : Added::dropped;
}

void Queue::put(soci::session& session, Totals& totals, const Sample& sample,
                const std::string& body) {
    auto [found, is_new] = totals.streams.try_emplace(sample.stream);
    StreamState& stream = found->second;
    stream.name = sample.stream;
    const std::int64_t seq = to_sql(stream.next);
    const std::int64_t next = seq + 1;
    session << "INSERT INTO stream (name, next_seq) VALUES (:name, :next)"
               " ON CONFLICT (name) DO UPDATE SET next_seq = excluded.next_seq",
        soci::use(stream.name), soci::use(next);
    session << "INSERT INTO sample (stream, seq, ts_ms, body) VALUES (:stream, :seq, :ts, :body)",
        soci::use(stream.name), soci::use(seq), soci::use(sample.ts_ms), soci::use(body);
    if (stream.rows == 0) stream.first = stream.next;
    ++stream.next;
    ++stream.rows;
    ++totals.rows;
    totals.bytes += cost_of(body.size());
}

bool Queue::drop_one(soci::session& session, Totals& totals) {
    std::int64_t id = 0;
    std::int64_t seq = 0;
    std::int64_t size = 0;
    std::string name;
    session << "SELECT id, stream, seq, LENGTH(CAST(body AS BLOB)) FROM sample ORDER BY id LIMIT 1",
        soci::into(id), soci::into(name), soci::into(seq), soci::into(size);
    if (!session.got_data()) return false;
    session << "DELETE FROM sample WHERE id = :id", soci::use(id);
    StreamState& stream = totals.streams[name];
    --stream.rows;
    stream.first = from_sql(seq) + 1;  // a stream's samples lie in the order of their sequences
    --totals.rows;
    totals.bytes -= cost_of(from_sql(size));
    return true;
}

void Queue::wait_for_room(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    const std::uint64_t before = totals_.rows;
    room_.wait_for(lock, stop, std::chrono::seconds(1),
                   [this, before] { return totals_.rows < before; });
}

Result<std::optional<std::string>> Queue::cursor(std::string_view source) {
    const std::lock_guard lock(mutex_);
    return in_queue(
        database_->read([&](soci::session& session) -> Result<std::optional<std::string>> {
            const std::string name(source);
            std::string position;
            session << "SELECT position FROM source_cursor WHERE source = :source", soci::use(name),
                soci::into(position);
            if (!session.got_data()) return std::nullopt;
            return position;
        }));
}

std::vector<StreamState> Queue::streams() const {
    const std::lock_guard lock(mutex_);
    std::vector<StreamState> out;
    out.reserve(totals_.streams.size());
    for (const auto& [name, stream] : totals_.streams) out.push_back(stream);
    return out;
}

Result<std::vector<Held>> Queue::read(std::string_view stream, std::uint64_t from,
                                      std::size_t limit) {
    const std::lock_guard lock(mutex_);
    return in_queue(database_->read([&](soci::session& session) -> Result<std::vector<Held>> {
        const std::string name(stream);
        const std::int64_t first = to_sql(from);
        const auto count = static_cast<std::int64_t>(limit);
        std::int64_t seq = 0;
        std::int64_t ts_ms = 0;
        std::string body;
        soci::statement select =
            (session.prepare << "SELECT seq, ts_ms, body FROM sample WHERE stream = :stream AND"
                                " seq >= :from ORDER BY seq LIMIT :count",
             soci::use(name), soci::use(first), soci::use(count), soci::into(seq),
             soci::into(ts_ms), soci::into(body));
        select.execute();
        std::vector<Held> held;
        while (select.fetch()) held.push_back({from_sql(seq), ts_ms, body});
        return held;
    }));
}

Result<Acked> Queue::acknowledge(const std::map<std::string, std::uint64_t>& committed) {
    const std::lock_guard lock(mutex_);
    Totals changed = totals_;
    Acked acked;
    QUOIN_CHECK(in_queue(database_->transaction([&](soci::session& session) -> Result<void> {
        for (const auto& [stream, seq] : committed) {
            acked.progress |= acknowledge_in(session, changed, stream, seq, acked);
        }
        return {};
    })));
    totals_ = std::move(changed);
    room_.notify_all();
    return acked;
}

bool Queue::acknowledge_in(soci::session& session, Totals& totals, const std::string& name,
                           std::uint64_t seq, Acked& acked) {
    if (!totals.streams.contains(name) && totals.streams.size() >= max_streams) return false;
    StreamState& stream = totals.streams[name];
    stream.name = name;
    if (seq >= stream.next) {
        const std::uint64_t shift = seq + 1 - stream.first;
        const std::int64_t by = to_sql(shift);
        const std::int64_t next = to_sql(stream.next + shift);
        // In two steps: the index on (stream, seq) is checked row by row.
        session << "UPDATE sample SET seq = -(seq + :by) WHERE stream = :stream", soci::use(by),
            soci::use(name);
        session << "UPDATE sample SET seq = -seq WHERE stream = :stream AND seq < 0",
            soci::use(name);
        session << "INSERT INTO stream (name, next_seq) VALUES (:name, :next)"
                   " ON CONFLICT (name) DO UPDATE SET next_seq = excluded.next_seq",
            soci::use(name), soci::use(next);
        stream.first += shift;
        stream.next += shift;
        acked.renumbered.push_back(name);
        return false;
    }
    if (seq < stream.first) return false;
    const std::int64_t last = to_sql(seq);
    std::int64_t rows = 0;
    std::int64_t size = 0;
    session << "SELECT COUNT(*), COALESCE(SUM(LENGTH(CAST(body AS BLOB))), 0) FROM sample"
               " WHERE stream = :stream AND seq <= :last",
        soci::use(name), soci::use(last), soci::into(rows), soci::into(size);
    session << "DELETE FROM sample WHERE stream = :stream AND seq <= :last", soci::use(name),
        soci::use(last);
    stream.rows -= from_sql(rows);
    stream.first = seq + 1;
    totals.rows -= from_sql(rows);
    totals.bytes -= from_sql(size) + from_sql(rows) * row_overhead_bytes;
    return true;
}

std::uint64_t Queue::rows() const {
    const std::lock_guard lock(mutex_);
    return totals_.rows;
}

std::uint64_t Queue::bytes() const {
    const std::lock_guard lock(mutex_);
    return totals_.bytes;
}

std::uint64_t Queue::dropped() const {
    const std::lock_guard lock(mutex_);
    return totals_.dropped;
}

}  // namespace quoin::agent
