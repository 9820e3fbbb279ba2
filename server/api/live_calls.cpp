// Calls about samples and events: pages, live streams, CSV.
#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>

#include "server/api/parameters.hpp"
#include "server/api/route.hpp"

namespace quoin::server {
namespace {

using net::HttpResponse;
using std::chrono::milliseconds;
using Piece = Result<std::optional<std::string>>;

constexpr std::int64_t max_number = (std::int64_t{1} << 53U) - 1;
constexpr std::size_t events_at_once = 500;

// Ids, stream names and values were checked when they were stored; values are JSON already.
std::string sample_json(const SampleStored& sample) {
    return fmt::format(
        R"({{"device":"{}","stream":"{}","seq":{},"ts_ms":{},"stored_ms":{},"suspect":{},"values":{}}})",
        sample.device, sample.stream, sample.seq, sample.ts_ms, sample.stored_ms, sample.suspect,
        sample.values_json);
}

std::string csv_line(const SampleStored& sample) {
    std::string quoted;
    for (const char character : sample.values_json) {
        if (character == '"') quoted.push_back('"');
        quoted.push_back(character);
    }
    return fmt::format("{},{},{},{},{},{},\"{}\"\r\n", sample.device, sample.stream, sample.seq,
                       sample.ts_ms, sample.stored_ms, sample.suspect, quoted);
}

Result<SampleQuery> sample_query(const Query& query) {
    SampleQuery wanted;
    QUOIN_TRY(wanted.device, id(query, "device"));
    QUOIN_TRY(wanted.stream, id(query, "stream"));
    QUOIN_TRY(const std::int64_t after_seq, whole_number(query, "after_seq", 0, max_number, 0));
    wanted.after_seq = static_cast<std::uint64_t>(after_seq);
    QUOIN_TRY(wanted.from_ms, whole_number(query, "from_ms", 0, max_number, 0));
    QUOIN_TRY(wanted.to_ms, whole_number(query, "to_ms", 0, max_number, 0));
    QUOIN_TRY(const std::int64_t limit, whole_number(query, "limit", 1, max_page, 1000));
    wanted.limit = static_cast<std::size_t>(limit);
    QUOIN_TRY(wanted.last, truth(query, "last"));
    return wanted;
}

std::string events_json(const std::vector<audit::Event>& events) {
    std::string list;
    for (const audit::Event& event : events) {
        if (!list.empty()) list.push_back(',');
        list += audit::to_json(event);
    }
    return fmt::format(R"({{"events":[{}]}})", list);
}

}  // namespace

Result<HttpResponse> Api::list_samples(const Call& call) {
    QUOIN_TRY(const SampleQuery wanted, sample_query(call.request.query));
    QUOIN_TRY(const std::vector<SampleStored> samples, sources_.samples(wanted));
    std::string body = R"({"samples":[)";
    for (const SampleStored& sample : samples) {
        if (body.back() != '[') body.push_back(',');
        body += sample_json(sample);
    }
    body += "]}";
    return json_response(std::move(body));
}

Result<HttpResponse> Api::follow_samples(const Call& call) {
    QUOIN_TRY(std::string device, id(call.request.query, "device"));
    QUOIN_TRY(std::string stream, id(call.request.query, "stream"));
    const auto subscription = followers_.subscribe(std::move(device), std::move(stream));
    return HttpResponse{.content_type = "text/event-stream",
                        .stream = [subscription](milliseconds wait) -> Piece {
                            const auto samples = subscription->take(wait);
                            if (!samples) return std::nullopt;
                            std::string text;
                            for (const SampleStored& sample : *samples) {
                                text += fmt::format("data: {}\n\n", sample_json(sample));
                            }
                            return text;
                        }};
}

Result<HttpResponse> Api::export_samples(const Call& call) {
    QUOIN_TRY(const SampleQuery wanted, sample_query(call.request.query));
    auto next = sources_.export_samples(wanted);
    auto begun = std::make_shared<bool>(false);
    return HttpResponse{.content_type = "text/csv; charset=utf-8",
                        .stream = [next = std::move(next), begun](milliseconds) -> Piece {
                            if (!std::exchange(*begun, true)) {
                                return "device,stream,seq,ts_ms,stored_ms,suspect,values\r\n";
                            }
                            QUOIN_TRY(const std::vector<SampleStored> page, next());
                            if (page.empty()) return std::nullopt;
                            std::string text;
                            for (const SampleStored& sample : page) text += csv_line(sample);
                            return text;
                        }};
}

Result<HttpResponse> Api::list_events(const Call& call) {
    QUOIN_TRY(const std::int64_t limit, whole_number(call.request.query, "limit", 1, 4096, 100));
    // What a caller has just done is among them; when the log cannot be written, what there is.
    if (const auto flushed = audit_.flush(); !flushed) {
        spdlog::warn("api: events: {}", flushed.error().message);
    }
    const auto last = static_cast<std::int64_t>(audit_.last_number());
    QUOIN_TRY(const std::int64_t after, whole_number(call.request.query, "after", 0, max_number,
                                                     std::max<std::int64_t>(last - limit, 0)));
    return json_response(events_json(
        audit_.events_after(static_cast<std::uint64_t>(after), static_cast<std::size_t>(limit))));
}

Result<HttpResponse> Api::follow_events(const Call& call) {
    QUOIN_TRY(const std::int64_t after,
              whole_number(call.request.query, "after", 0, max_number,
                           static_cast<std::int64_t>(audit_.last_number())));
    auto number = std::make_shared<std::uint64_t>(static_cast<std::uint64_t>(after));
    return HttpResponse{
        .content_type = "text/event-stream",
        .stream = [number, &log = audit_](milliseconds wait) -> Piece {
            std::string text;
            for (const audit::Event& event : log.wait_after(*number, events_at_once, wait)) {
                text += fmt::format("data: {}\n\n", audit::to_json(event));
                *number = event.number;
            }
            return text;
        }};
}

}  // namespace quoin::server
