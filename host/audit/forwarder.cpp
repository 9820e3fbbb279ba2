#include "host/audit/forwarder.hpp"

#include <openssl/ssl.h>
#include <pthread.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "host/audit/line_reader.hpp"
#include "host/audit/siem_link.hpp"
#include "host/audit/syslog.hpp"
#include "host/files/files.hpp"
#include "host/tls/suites.hpp"

namespace quoin::audit {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds tick{100};
constexpr std::size_t max_group = 256;  // messages sent before the connection is looked at again

// A place between two lines: behind the event with this number.
struct Place {
    std::uint64_t number = 0;
    std::uint64_t offset = 0;
};

Result<Place> load_cursor(const std::filesystem::path& file) {
    const auto text = files::read(file, 4096);
    if (!text && text.error().code == Code::input_not_found) return Place{};
    if (!text) return std::unexpected(text.error());
    const auto json = nlohmann::json::parse(*text, nullptr, false);
    const auto field = [&](const char* name) {
        return json.is_object() && json.contains(name) && json[name].is_number_unsigned();
    };
    if (!field("number") || !field("offset")) {
        return fail(Code::config_invalid,
                    "{} cannot be read: remove it, and the SIEM gets the whole audit log again",
                    file.string());
    }
    return Place{json["number"].get<std::uint64_t>(), json["offset"].get<std::uint64_t>()};
}

}  // namespace

struct Forwarder::State {
    State(ForwarderOptions given, tls::Context given_context, Log& given_log, Place start)
        : options(std::move(given)),
          context(std::move(given_context)),
          log(given_log),
          sent(start),
          confirmed(start) {}

    ForwarderOptions options;
    tls::Context context;       // the thread's own
    tls::Context next_context;  // under the mutex; null: none
    Log& log;
    std::string host = host_name();

    // The thread's own.
    struct Group {
        Clock::time_point at;
        Place end;
    };
    std::unique_ptr<SiemLink> link;
    std::optional<LineReader> reader;  // stands at `sent`
    Place sent;
    Place confirmed;
    std::deque<Group> in_flight;
    bool was_connected = true;  // so that the first failure is told

    std::thread thread;
    mutable std::mutex mutex;
    std::condition_variable wake;
    bool stopping = false;  // under the mutex, as is `status`
    Status status;

    void run();
    void serve();
    void disconnect(Error why);
    Result<void> connect();
    Result<void> go_to(Place place);
    Result<std::optional<Line>> next_line();
    Result<void> limit_backlog();
    Result<std::size_t> send_group();
    Result<void> confirm(Place place);
    Result<void> confirm_old();
    bool pause(std::chrono::milliseconds time);
    bool is_stopping() const;
    void tell();
};

bool Forwarder::State::is_stopping() const {
    const std::lock_guard lock(mutex);
    return stopping;
}

bool Forwarder::State::pause(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex);
    return !wake.wait_for(lock, time, [&] { return stopping; });
}

void Forwarder::State::tell() {
    const std::lock_guard lock(mutex);
    status.is_connected = link != nullptr;
    status.confirmed_number = confirmed.number;
}

Result<void> Forwarder::State::go_to(Place place) {
    QUOIN_TRY(LineReader opened, LineReader::open(options.file, place.offset));
    reader.emplace(std::move(opened));
    sent = place;
    in_flight.clear();
    return {};
}

// The next line that is durably in the log, or none. A cursor that does not fit the file (the log
// was begun anew) starts at its beginning.
Result<std::optional<Line>> Forwarder::State::next_line() {
    if (sent.number >= log.last_number()) {
        if (sent.number == log.last_number()) return std::nullopt;
        QUOIN_CHECK(go_to(Place{}));
        confirmed = Place{};
    }
    for (const bool first : {true, false}) {
        const auto text = reader->next();
        const bool readable = text && *text;
        auto line = readable ? decode(**text)
                             : Result<Line>(fail(Code::integrity_mismatch, "no whole line"));
        if (line && line->event.number == sent.number + 1) {
            sent = Place{line->event.number, reader->offset()};
            return *std::move(line);
        }
        if (!first || sent.offset == 0) break;
        QUOIN_CHECK(go_to(Place{}));
        confirmed = Place{};
    }
    return fail(Code::integrity_mismatch, "audit log {}: event {} is not where it was written",
                options.file.string(), sent.number + 1);
}

Result<void> Forwarder::State::limit_backlog() {
    const std::uint64_t last = log.last_number();
    if (last <= sent.number || last - sent.number <= options.max_backlog) return {};
    const std::uint64_t first = sent.number + 1;
    while (sent.number < last - options.max_backlog) {
        QUOIN_TRY(const auto line, next_line());
        if (!line) break;
    }
    const std::uint64_t count = sent.number - first + 1;
    log.append(Id::audit_siem_lost, "",
               {{"count", count}, {"first", first}, {"last", sent.number}});
    {
        const std::lock_guard lock(mutex);
        status.lost += count;
    }
    if (in_flight.empty()) return confirm(sent);
    in_flight.push_back({Clock::now(), sent});
    return {};
}

Result<std::size_t> Forwarder::State::send_group() {
    std::size_t count = 0;
    for (; count < max_group; ++count) {
        QUOIN_TRY(const auto line, next_line());
        if (!line) break;
        QUOIN_CHECK(link->send(to_syslog(*line, host)));
    }
    if (count > 0) in_flight.push_back({Clock::now(), sent});
    return count;
}

Result<void> Forwarder::State::confirm(Place place) {
    if (place.number == confirmed.number && place.offset == confirmed.offset) return {};
    confirmed = place;
    const nlohmann::json cursor{{"number", place.number}, {"offset", place.offset}};
    return files::write_atomically(options.cursor, cursor.dump() + "\n", 0600);
}

Result<void> Forwarder::State::confirm_old() {
    if (in_flight.empty() || !link->is_drained()) return {};
    std::optional<Place> old;
    while (!in_flight.empty() && Clock::now() - in_flight.front().at >= options.confirm_after) {
        old = in_flight.front().end;
        in_flight.pop_front();
    }
    return old ? confirm(*old) : Result<void>{};
}

Result<void> Forwarder::State::connect() {
    {
        const std::lock_guard lock(mutex);
        if (next_context) context = std::move(next_context);
    }
    QUOIN_TRY(link, SiemLink::dial(options.host, options.port, context.get(), options.timeout));
    QUOIN_CHECK(go_to(confirmed));
    log.append(Id::audit_siem_connected, "", {{"host", options.host}, {"port", options.port}});
    was_connected = true;
    const std::lock_guard lock(mutex);
    status.error.clear();
    return {};
}

void Forwarder::State::disconnect(Error why) {
    link.reset();
    // What was in flight is sent again.
    if (auto back = go_to(confirmed); !back)
        why.message += fmt::format("; {}", back.error().message);
    if (was_connected) {
        log.append(Id::audit_siem_disconnected, "", {{"host", options.host}, {"why", why.message}});
    }
    was_connected = false;
    const std::lock_guard lock(mutex);
    status.error = why.message;
}

// One connection, until it breaks or the end.
void Forwarder::State::serve() {
    while (!is_stopping()) {
        const auto step = [&]() -> Result<std::size_t> {
            QUOIN_CHECK(link->check());
            QUOIN_CHECK(limit_backlog());
            QUOIN_TRY(const std::size_t count, send_group());
            QUOIN_CHECK(confirm_old());
            return count;
        };
        const auto count = step();
        if (!count) return disconnect(count.error());
        tell();
        // Nothing to do: until an event comes, looking after the connection now and then.
        if (*count == 0) (void)log.wait_after(sent.number, 1, tick);
    }
    // The last words of a process that ends, if they fit into one group; those that do not reach
    // the disk in time wait for the next start.
    (void)log.flush().has_value();
    if (auto last = send_group(); !last) return disconnect(last.error());
    if (link->close()) {
        if (auto written = confirm(sent); !written) disconnect(written.error());
    }
    link.reset();
}

void Forwarder::State::run() {
    // A write to a broken connection must be an error here, not the end of the process.
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    auto backoff = options.first_backoff;
    while (!is_stopping()) {
        if (auto connected = connect(); connected) {
            backoff = options.first_backoff;
            tell();
            serve();
        } else {
            disconnect(connected.error());
        }
        if (auto limited = reader ? limit_backlog() : Result<void>{}; !limited)
            disconnect(limited.error());
        tell();
        // Half to all of it: a plant's processes do not come back at the same moment.
        std::array<std::uint8_t, 1> dice{};
        const bool thrown = crypto::random_bytes(dice).has_value();
        if (!pause(backoff / 2 + backoff / 2 * (thrown ? dice[0] : 255) / 255)) return;
        backoff = std::min(backoff * 2, options.last_backoff);
    }
}

Result<std::unique_ptr<Forwarder>> Forwarder::start(ForwarderOptions options, tls::Context context,
                                                    Log& log) {
    QUOIN_TRY(const Place place, load_cursor(options.cursor));
    auto state = std::make_unique<State>(std::move(options), std::move(context), log, place);
    state->tell();
    State* const raw = state.get();
    state->thread = std::thread([raw] { raw->run(); });
    return std::unique_ptr<Forwarder>(new Forwarder(std::move(state)));
}

Forwarder::Forwarder(std::unique_ptr<State> state) : state_(std::move(state)) {}

Forwarder::~Forwarder() {
    {
        const std::lock_guard lock(state_->mutex);
        state_->stopping = true;
    }
    state_->wake.notify_all();
    state_->thread.join();
}

void Forwarder::replace_tls(tls::Context context) {
    const std::lock_guard lock(state_->mutex);
    state_->next_context = std::move(context);
}

Forwarder::Status Forwarder::status() const {
    const std::uint64_t last = state_->log.last_number();
    const std::lock_guard lock(state_->mutex);
    Status status = state_->status;
    status.backlog = last - std::min(last, status.confirmed_number);
    return status;
}

Result<tls::Context> siem_context(tls::Suite suite, bool danger_classical_certificate,
                                  std::span<const x509::Certificate> anchors,
                                  const tls::Credentials* credentials) {
    const tls::Suite certificates =
        danger_classical_certificate ? tls::Suite::classical : tls::Suite::pure;
    QUOIN_TRY(tls::Context context,
              tls::client_context(certificates, anchors, tls::Server::foreign, credentials));
    if (!danger_classical_certificate) {
        constexpr std::array both{tls::Suite::pure, tls::Suite::hybrid};
        const std::string signatures = tls::offer(both).signatures;
        if (SSL_CTX_set1_sigalgs_list(context.get(), signatures.c_str()) != 1) {
            return fail(Code::internal, "SIEM: TLS signatures {}: {}", signatures,
                        crypto::openssl_error());
        }
    }
    const std::string groups(tls::info(suite).groups);
    if (SSL_CTX_set1_groups_list(context.get(), groups.c_str()) != 1) {
        return fail(Code::internal, "SIEM: TLS groups {}: {}", groups, crypto::openssl_error());
    }
    return context;
}

}  // namespace quoin::audit
