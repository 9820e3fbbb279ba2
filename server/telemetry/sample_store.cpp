#include "server/telemetry/sample_store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "host/store/bulk.hpp"

namespace quoin::telemetry {
namespace {

using server::SampleStored;

OpenedStream open_stream(soci::session& session, const StreamName& name) {
    const std::string device(name.device), stream(name.stream);
    OpenedStream opened;
    int known = 0;
    session << "SELECT 1 FROM devices WHERE device_id = :d", soci::into(known), soci::use(device);
    if (!session.got_data()) return opened;
    opened.known_device = true;
    std::int64_t contiguous = 0;
    session << "SELECT stream_key, contiguous FROM streams WHERE device_id = :d AND stream = :s",
        soci::into(opened.key), soci::into(contiguous), soci::use(device), soci::use(stream);
    if (!session.got_data()) {
        session << "SELECT COALESCE(MAX(stream_key), 0) + 1 FROM streams", soci::into(opened.key);
        session << "INSERT INTO streams (stream_key, device_id, stream, contiguous) "
                   "VALUES (:k, :d, :s, 0)",
            soci::use(opened.key), soci::use(device), soci::use(stream);
        return opened;
    }
    opened.contiguous = static_cast<std::uint64_t>(contiguous);
    const soci::rowset<std::int64_t> above =
        (session.prepare
             << "SELECT seq FROM samples WHERE stream_key = :k AND seq > :c ORDER BY seq",
         soci::use(opened.key), soci::use(contiguous));
    for (const std::int64_t seq : above) opened.above.push_back(static_cast<std::uint64_t>(seq));
    return opened;
}

void store_progress(soci::session& session, std::span<const Batch::Progress> progress) {
    if (progress.empty()) return;
    // One statement for all streams. VALUES names its columns column1, column2 in both databases.
    // Only integers go into the text.
    std::string rows;
    for (const auto& [key, contiguous] : progress) {
        fmt::format_to(std::back_inserter(rows), "{}({},{})", rows.empty() ? "" : ",", key,
                       contiguous);
    }
    session << "UPDATE streams SET contiguous = progress.column2 FROM (VALUES " + rows +
                   ") AS progress WHERE stream_key = progress.column1";
}

struct FoundStream {
    std::int64_t key = 0;
    std::string device, stream;
};

// The streams of a filter, in order, from (device, stream) on.
std::vector<FoundStream> find_streams(soci::session& session, const SampleFilter& filter,
                                      const std::string& from_device = {},
                                      const std::string& from_stream = {}) {
    FoundStream row;
    std::vector<FoundStream> found;
    const int all_devices = filter.device.empty() ? 1 : 0;
    const int all_streams = filter.stream.empty() ? 1 : 0;
    soci::statement statement =
        (session.prepare << "SELECT stream_key, device_id, stream FROM streams WHERE "
                            "(:all_devices = 1 OR device_id = :d) AND "
                            "(:all_streams = 1 OR stream = :s) AND "
                            "(device_id > :fd OR (device_id = :fd2 AND stream >= :fs)) "
                            "ORDER BY device_id, stream",
         soci::into(row.key), soci::into(row.device), soci::into(row.stream),
         soci::use(all_devices, "all_devices"), soci::use(filter.device, "d"),
         soci::use(all_streams, "all_streams"), soci::use(filter.stream, "s"),
         soci::use(from_device, "fd"), soci::use(from_device, "fd2"), soci::use(from_stream, "fs"));
    statement.execute();
    while (statement.fetch()) found.push_back(row);
    return found;
}

struct Page {
    std::uint64_t after_seq;
    std::int64_t limit;
    bool newest;
};

void append_samples(soci::session& session, const FoundStream& stream, const SampleFilter& filter,
                    const Page& page, std::vector<SampleStored>& out) {
    const auto after = static_cast<std::int64_t>(page.after_seq);
    const std::int64_t to_ms = filter.to_ms == 0 ? INT64_MAX : filter.to_ms;
    std::int64_t seq = 0;
    int suspect = 0;
    SampleStored row{.device = stream.device,
                     .stream = stream.stream,
                     .seq = 0,
                     .ts_ms = 0,
                     .stored_ms = 0,
                     .suspect = false,
                     .values_json = {}};
    soci::statement statement =
        (session.prepare << std::string("SELECT seq, ts_ms, stored_ms, suspect, sample_values "
                                        "FROM samples WHERE stream_key = :k AND seq > :after AND "
                                        "ts_ms >= :from_ms AND ts_ms < :to_ms ORDER BY seq ") +
                                (page.newest ? "DESC" : "ASC") + " LIMIT :n",
         soci::into(seq), soci::into(row.ts_ms), soci::into(row.stored_ms), soci::into(suspect),
         soci::into(row.values_json), soci::use(stream.key, "k"), soci::use(after, "after"),
         soci::use(filter.from_ms, "from_ms"), soci::use(to_ms, "to_ms"),
         soci::use(page.limit, "n"));
    statement.execute();
    while (statement.fetch()) {
        row.seq = static_cast<std::uint64_t>(seq);
        row.suspect = suspect != 0;
        out.push_back(row);
    }
}

void keep_newest(std::vector<SampleStored>& samples, std::size_t limit) {
    std::ranges::stable_sort(samples, [](const SampleStored& a, const SampleStored& b) {
        return std::pair(a.stored_ms, a.seq) < std::pair(b.stored_ms, b.seq);
    });
    if (samples.size() <= limit) return;
    samples.erase(samples.begin(),
                  samples.end() - static_cast<std::vector<SampleStored>::difference_type>(limit));
}

}  // namespace

void Batch::clear() {
    for (auto* column : {&stream_keys, &seqs, &ts_ms, &stored_ms, &suspect}) column->clear();
    values.clear();
    progress.clear();
}

Result<std::vector<OpenedStream>> open_streams(store::Database& database,
                                               std::span<const StreamName> names) {
    return database.transaction([&](soci::session& session) -> Result<std::vector<OpenedStream>> {
        std::vector<OpenedStream> opened;
        opened.reserve(names.size());
        for (const StreamName& name : names) opened.push_back(open_stream(session, name));
        return opened;
    });
}

Result<std::int64_t> store_batch(store::Database& database, Batch& batch) {
    std::array columns{store::Column{"stream_key", std::move(batch.stream_keys)},
                       store::Column{"seq", std::move(batch.seqs)},
                       store::Column{"ts_ms", std::move(batch.ts_ms)},
                       store::Column{"stored_ms", std::move(batch.stored_ms)},
                       store::Column{"suspect", std::move(batch.suspect)},
                       store::Column{"sample_values", std::move(batch.values)}};
    const auto stored = database.transaction([&](soci::session& session) -> Result<std::int64_t> {
        const std::int64_t fresh = store::insert_new(session, "samples", columns);
        store_progress(session, batch.progress);
        return fresh;
    });
    std::array homes{&batch.stream_keys, &batch.seqs, &batch.ts_ms, &batch.stored_ms,
                     &batch.suspect};
    for (std::size_t i = 0; i < homes.size(); ++i) {
        *homes[i] = std::get<std::vector<std::int64_t>>(std::move(columns[i].values));
    }
    batch.values = std::get<std::vector<std::string>>(std::move(columns.back().values));
    return stored;
}

Result<std::vector<SampleStored>> query(store::Database& database, const SampleFilter& filter) {
    if (filter.limit < 1 || filter.limit > max_page) {
        return fail(Code::input_invalid, "limit: {} is not 1 .. {}", filter.limit, max_page);
    }
    return database.read([&](soci::session& session) -> Result<std::vector<SampleStored>> {
        std::vector<SampleStored> found;
        for (const FoundStream& stream : find_streams(session, filter)) {
            const std::size_t wanted = filter.last ? filter.limit : filter.limit - found.size();
            if (wanted == 0) break;
            append_samples(session, stream, filter,
                           {.after_seq = filter.after_seq,
                            .limit = static_cast<std::int64_t>(wanted),
                            .newest = filter.last},
                           found);
            // Keeps at most two limits of samples in memory, however many streams there are.
            if (filter.last) keep_newest(found, filter.limit);
        }
        return found;
    });
}

Export::Export(store::Database& database, SampleFilter filter)
    : database_(database), filter_(std::move(filter)) {}

Result<std::vector<SampleStored>> Export::next() {
    if (ended_) return std::vector<SampleStored>{};
    auto page = database_.read([&](soci::session& session) -> Result<std::vector<SampleStored>> {
        std::vector<SampleStored> found;
        for (const FoundStream& stream : find_streams(session, filter_, device_, stream_)) {
            const bool resumed = stream.device == device_ && stream.stream == stream_;
            append_samples(
                session, stream, filter_,
                {.after_seq = resumed ? std::max(seq_, filter_.after_seq) : filter_.after_seq,
                 .limit = static_cast<std::int64_t>(max_page - found.size()),
                 .newest = false},
                found);
            if (found.size() == max_page) break;
        }
        return found;
    });
    if (!page) return page;
    ended_ = page->size() < max_page;
    if (!page->empty()) {
        device_ = page->back().device;
        stream_ = page->back().stream;
        seq_ = page->back().seq;
    }
    return page;
}

Result<std::int64_t> sample_count(store::Database& database) {
    return database.read([&](soci::session& session) -> Result<std::int64_t> {
        std::int64_t count = 0;
        session << "SELECT COUNT(*) FROM samples", soci::into(count);
        return count;
    });
}

}  // namespace quoin::telemetry
