#include "agent/publisher.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <random>

namespace quoin::agent {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr std::size_t read_at_once = 100;
constexpr milliseconds tick_time{1000};
constexpr milliseconds gather_time{20};      // acknowledgements that share one transaction
constexpr milliseconds first_stall{10'000};  // no acknowledgement for so long: send again
constexpr milliseconds last_stall{60'000};
constexpr milliseconds first_pause{1000};
constexpr milliseconds last_pause{30'000};
constexpr milliseconds verdict_time{300};  // an appraisal takes a few milliseconds

// Between a half and the whole: devices that were refused together do not come back together.
milliseconds jittered(milliseconds whole) {
    static thread_local std::minstd_rand random(std::random_device{}());
    return milliseconds(
        std::uniform_int_distribution<std::int64_t>(whole.count() / 2, whole.count())(random));
}

}  // namespace

void Publisher::connected() {
    ++connection_;
    // One sample first: until it is attested, a device may not publish any.
    state_ = State::probing;
    pause_time_ = milliseconds(0);
    stall_time_ = first_stall;
    rewind("connected");
    tick(connection_);
    pump();
}

void Publisher::disconnected() {
    ++connection_;
    state_ = State::offline;
}

void Publisher::rewind(std::string_view why) {
    if (!next_.empty()) spdlog::debug("resend why={}", why);
    next_.clear();
    last_progress_ = Clock::now();
}

void Publisher::wake() {
    if (awake_.exchange(true)) return;
    outlet_.post([this] {
        awake_ = false;
        pump();
    });
}

std::uint64_t Publisher::unacknowledged(const std::vector<StreamState>& streams) const {
    std::uint64_t sum = 0;
    for (const StreamState& stream : streams) {
        const auto next = next_.find(stream.name);
        if (next != next_.end() && next->second > stream.first) sum += next->second - stream.first;
    }
    return sum;
}

void Publisher::pump() {
    if (state_ != State::sending && state_ != State::probing) return;
    const std::uint64_t limit = state_ == State::probing ? 1 : window;
    // A piece of each stream in turn, so that one with a backlog does not hold up the others.
    for (bool more = true; more;) {
        more = false;
        const auto streams = queue_.streams();
        const std::uint64_t open = unacknowledged(streams);
        std::uint64_t room = open >= limit ? 0 : limit - open;
        for (const StreamState& stream : streams) {
            const std::uint64_t before = room;
            if (room > 0) send_stream(stream, room);
            more |= room < before;
        }
        more = more && room > 0;
    }
}

void Publisher::send_stream(const StreamState& stream, std::uint64_t& room) {
    std::uint64_t& next = next_[stream.name];
    next = std::max(next, stream.first);
    if (next >= stream.next) return;
    const auto held = queue_.read(stream.name, next, std::min<std::size_t>(read_at_once, room));
    if (!held) {
        spdlog::error("queue_failed error=\"{}\"", held.error().message);
        return;
    }
    for (const Held& sample : *held) {
        send(stream, sample);
        next = sample.seq + 1;
        --room;
    }
}

void Publisher::send(const StreamState& stream, const Held& held) {
    outlet_.publish(branch_ + "/telemetry/" + stream.name,
                    message_json(held.seq, stream.first, held.ts_ms, held.values),
                    [this, connection = connection_](const Result<void>& result) {
                        if (connection == connection_) sent(result);
                    });
}

void Publisher::sent(const Result<void>& result) {
    if (!result) {
        // A lost link is reported by itself, and everything is sent again on the next one.
        if (result.error().code != Code::resource_unavailable) refused(result.error());
        return;
    }
    if (state_ == State::probing) {
        if (pause_time_.count() > 0) spdlog::info("telemetry_resumed");
        state_ = State::sending;
        pause_time_ = milliseconds(0);
        pump();
    }
}

void Publisher::refused(const Error& error) {
    if (state_ == State::paused) return;
    const bool is_new = pause_time_.count() == 0;
    pause_time_ = std::clamp(pause_time_ * 2, first_pause, last_pause);
    if (is_new) {
        spdlog::warn("telemetry_paused retry_ms={} error=\"{}\"", pause_time_.count(),
                     error.message);
    }
    state_ = State::paused;
    outlet_.after(jittered(pause_time_), [this, pause = ++pause_] {
        if (pause == pause_) probe();
    });
}

void Publisher::evidence_sent() {
    if (state_ != State::paused) return;
    outlet_.after(verdict_time, [this, pause = ++pause_] {
        if (pause == pause_) probe();
    });
}

void Publisher::probe() {
    if (state_ != State::paused) return;
    state_ = State::probing;
    rewind("probe");
    pump();
}

void Publisher::acknowledged(const std::string& stream, std::string_view payload) {
    if (!is_stream_name(stream)) {
        spdlog::warn("ack_refused error=\"{} bytes that are no stream's name\"", stream.size());
        return;
    }
    const auto seq = parse_ack(payload);
    if (!seq) {
        spdlog::warn("ack_refused stream={} error=\"{}\"", stream, seq.error().message);
        return;
    }
    std::uint64_t& committed = committed_[stream];
    committed = std::max(committed, *seq);
    if (std::exchange(taking_, true)) return;
    outlet_.after(gather_time, [this] { take_acknowledgements(); });
}

void Publisher::take_acknowledgements() {
    taking_ = false;
    const auto acked = queue_.acknowledge(committed_);
    if (!acked) {
        // They stay in `committed_`, and the next acknowledgement or resend brings them up again.
        spdlog::error("queue_failed error=\"{}\"", acked.error().message);
        return;
    }
    committed_.clear();
    for (const std::string& stream : acked->renumbered) {
        spdlog::warn(
            "queue_renumbered stream={}: the server had sequences that this queue never gave",
            stream);
        next_.erase(stream);
    }
    if (acked->progress) {
        last_progress_ = Clock::now();
        stall_time_ = first_stall;
    }
    pump();
}

void Publisher::tick(std::uint64_t connection) {
    if (connection != connection_) return;
    if (state_ == State::sending || state_ == State::probing) {
        const bool waiting = unacknowledged(queue_.streams()) > 0;
        if (!waiting) last_progress_ = Clock::now();
        if (Clock::now() - last_progress_ >= stall_time_) {
            spdlog::warn("ack_stalled ms={}: sending again", stall_time_.count());
            stall_time_ = std::min(stall_time_ * 2, last_stall);
            rewind("stalled");
        }
        pump();  // also after a failure of the queue
    }
    outlet_.after(tick_time, [this, connection] { tick(connection); });
}

}  // namespace quoin::agent
