#include <spdlog/spdlog.h>

#include <charconv>
#include <fstream>

#include "agent/csv.hpp"
#include "agent/source.hpp"

namespace quoin::agent {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t max_batch = 100;

// Where the replay is: kept in the queue as "OFFSET LINE".
struct Position {
    std::uint64_t offset = 0;  // of the next line
    std::uint64_t line = 1;    // its number
};

std::string to_text(const Position& position) {
    return fmt::format("{} {}", position.offset, position.line);
}

bool parse_all(std::string_view digits, std::uint64_t& number) {
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return error == std::errc{} && end == digits.data() + digits.size();
}

std::optional<Position> position_of(std::string_view text) {
    Position position;
    const auto space = text.find(' ');
    if (space == std::string_view::npos) return std::nullopt;
    if (!parse_all(text.substr(0, space), position.offset)) return std::nullopt;
    if (!parse_all(text.substr(space + 1), position.line)) return std::nullopt;
    return position;
}

// When each row is due: as far from the first one as in the file, over the speed.
class Pace {
public:
    explicit Pace(double speed) : speed_(speed) {}
    Clock::time_point due(std::int64_t ts_ms) {
        if (!begun_) {
            begun_ = true;
            first_ts_ms_ = ts_ms;
            first_due_ = Clock::now();
        }
        const double ahead_ms = static_cast<double>(ts_ms - first_ts_ms_) / speed_;
        return first_due_ + std::chrono::microseconds(static_cast<std::int64_t>(ahead_ms * 1000));
    }
    void restart() { begun_ = false; }

private:
    double speed_;
    bool begun_ = false;
    std::int64_t first_ts_ms_ = 0;
    Clock::time_point first_due_;
};

class CsvSource final : public Source {
public:
    CsvSource(CsvOptions options, Queue& queue)
        : options_(std::move(options)), queue_(queue), pace_(options_.speed) {}
    const std::string& name() const override { return options_.name; }
    void run(const std::stop_token& stop) override;

private:
    bool open();
    void restore();
    bool take_line(std::string& line);
    bool replay(const std::stop_token& stop);
    Result<CsvRow> parse(std::string_view line) const;
    Sample sample_of(const CsvRow& row) const;
    bool flush(std::vector<Sample>& batch, const std::stop_token& stop);

    const CsvOptions options_;
    Queue& queue_;
    Pace pace_;
    std::ifstream file_;
    std::uint64_t size_ = 0;
    Position next_;
};

bool CsvSource::open() {
    std::error_code error;
    size_ = std::filesystem::file_size(options_.file, error);
    file_ = std::ifstream(options_.file, std::ios::binary);
    if (!error && file_) return true;
    spdlog::error("csv_unreadable source={} file={} error=\"{}\"", options_.name,
                  options_.file.string(), error ? error.message() : "cannot be opened");
    return false;
}

void CsvSource::restore() {
    const auto kept = queue_.cursor(options_.name);
    if (!kept || !*kept) return;
    const auto position = position_of(**kept);
    if (!position || position->offset > size_) {
        spdlog::warn("csv_restarted source={} position=\"{}\": the file is another one",
                     options_.name, **kept);
        return;
    }
    next_ = *position;
}

// The next line, without its newline. Longer lines than allowed are cut: they are refused anyway.
bool CsvSource::take_line(std::string& line) {
    line.clear();
    if (next_.offset >= size_) return false;
    for (char c = 0; file_.get(c);) {
        ++next_.offset;
        if (c == '\n') break;
        if (line.size() <= max_csv_line_bytes) line += c;
    }
    ++next_.line;
    return true;
}

Result<CsvRow> CsvSource::parse(std::string_view line) const {
    auto row = parse_csv_line(line);
    if (row && options_.file_time && !is_sample_time(row->ts_ms, now_ms())) {
        return fail(Code::input_invalid, "the timestamp is before 2000 or in the future");
    }
    return row;
}

Sample CsvSource::sample_of(const CsvRow& row) const {
    const double value =
        options_.fahrenheit_to_celsius ? (row.value - 32.0) * 5.0 / 9.0 : row.value;
    return {options_.stream, options_.file_time ? row.ts_ms : now_ms(), {{options_.value, value}}};
}

bool CsvSource::flush(std::vector<Sample>& batch, const std::stop_token& stop) {
    const Cursor cursor{options_.name, to_text(next_)};
    if (!store(queue_, batch, cursor, options_.name, stop)) return false;
    batch.clear();
    return true;
}

// To the end of the file. Rows that are due at the same time go into the queue together.
bool CsvSource::replay(const std::stop_token& stop) {
    std::vector<Sample> batch;
    std::string line;
    for (Position before = next_; take_line(line); before = next_) {
        const auto row = parse(line);
        if (!row) {
            const bool heading = before.line == 1;
            if (!heading) {
                spdlog::warn("csv_line_refused source={} file={} line={} error=\"{}\"",
                             options_.name, options_.file.string(), before.line,
                             row.error().message);
            }
            continue;
        }
        const auto due = pace_.due(row->ts_ms);
        if (due > Clock::now()) {
            // What is due already must not wait; the cursor is that of the line before this one.
            const Position after = std::exchange(next_, before);
            if (!batch.empty() && !flush(batch, stop)) return false;
            next_ = after;
            if (!wait_until(stop, due)) return false;
        }
        batch.push_back(sample_of(*row));
        if (batch.size() >= max_batch && !flush(batch, stop)) return false;
    }
    return flush(batch, stop);
}

void CsvSource::run(const std::stop_token& stop) {
    while (!open()) {
        if (!wait_until(stop, Clock::now() + std::chrono::seconds(10))) return;
    }
    restore();
    do {
        file_.clear();
        file_.seekg(static_cast<std::streamoff>(next_.offset));
        if (!replay(stop)) return;
        if (!options_.loop) break;
        next_ = {};
        pace_.restart();
        std::vector<Sample> nothing;
        if (!flush(nothing, stop)) return;
        // A file without a single row must not spin.
        if (!wait_until(stop, Clock::now() + std::chrono::milliseconds(10))) return;
    } while (true);
    spdlog::info("csv_finished source={} lines={}", options_.name, next_.line - 1);
}

}  // namespace

std::unique_ptr<Source> make_csv_source(CsvOptions options, Queue& queue) {
    return std::make_unique<CsvSource>(std::move(options), queue);
}

}  // namespace quoin::agent
