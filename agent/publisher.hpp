// Sends what the queue holds, and takes out of the queue what the data server has committed.
//
//   offline --connected--> sending --PUBACK "not authorized"--> paused --time, or evidence sent-->
//   probing
//      ^                      ^ |
//      '-- link lost (any) ---+------------------------- PUBACK accepts
//      ----------------------------'
//
// A PUBACK frees nothing. At most `window` samples are unacknowledged by the data server; within a
// stream they go out in the order of their sequences. After a reconnect everything above the last
// acknowledgement goes out again, and so it does when acknowledgements stall. Probing sends one
// sample. Threads: all calls on the MQTT client's thread, but wake().
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "agent/queue.hpp"
#include "host/error.hpp"

namespace quoin::agent {

inline constexpr std::uint64_t window = 1000;

// What the publisher needs of an MQTT client.
class Outlet {
public:
    virtual ~Outlet() = default;
    virtual void publish(std::string topic, std::string payload,
                         std::function<void(Result<void>)> done) = 0;
    virtual void post(std::function<void()> work) = 0;
    virtual void after(std::chrono::milliseconds delay, std::function<void()> work) = 0;
};

class Publisher {
public:
    // `branch` is "quoin/SITE/DEVICE". Queue and outlet outlive the publisher's callbacks.
    Publisher(Queue& queue, Outlet& outlet, std::string branch)
        : queue_(queue), outlet_(outlet), branch_(std::move(branch)) {}

    void connected();
    void disconnected();
    void acknowledged(const std::string& stream, std::string_view payload);
    // Evidence went out: the verdict may open telemetry again in a moment.
    void evidence_sent();
    // The queue has something new. From any thread.
    void wake();

private:
    enum class State : std::uint8_t { offline, sending, paused, probing };

    void pump();
    void send_stream(const StreamState& stream, std::uint64_t& room);
    void send(const StreamState& stream, const Held& held);
    void sent(const Result<void>& result);
    void refused(const Error& error);
    void probe();
    void take_acknowledgements();
    void tick(std::uint64_t connection);
    void rewind(std::string_view why);
    std::uint64_t unacknowledged(const std::vector<StreamState>& streams) const;

    Queue& queue_;
    Outlet& outlet_;
    const std::string branch_;
    State state_ = State::offline;
    std::uint64_t connection_ = 0;               // counts; what belongs to an older one is ignored
    std::uint64_t pause_ = 0;                    // counts, for the same reason
    std::map<std::string, std::uint64_t> next_;  // by stream: the next sequence to send
    std::map<std::string, std::uint64_t> committed_;  // by stream: heard, not yet taken out
    bool taking_ = false;
    std::chrono::milliseconds pause_time_{0};
    std::chrono::milliseconds stall_time_{0};
    std::chrono::steady_clock::time_point last_progress_;
    std::atomic<bool> awake_ = false;
};

}  // namespace quoin::agent
