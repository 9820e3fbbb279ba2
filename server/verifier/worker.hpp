// The verifier without its MQTT session: everything that happens, one after the other, on one
// thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <random>
#include <thread>
#include <variant>

#include "server/verifier/nonces.hpp"
#include "server/verifier/verifier.hpp"

namespace quoin::verifier {

class Worker {
public:
    using Publish = std::function<void(std::string topic, std::string payload)>;

    // Starts the thread, which begins with the devices in the database.
    static Result<std::unique_ptr<Worker>> start(store::Database& database, const server::Bus& bus,
                                                 audit::Log& audit, VerifierOptions options,
                                                 Publish publish);
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;
    void stop();  // joins the thread; what is queued is dropped

    // From any thread; none blocks.
    void message(const std::string& topic, std::string payload);
    void link(bool up);  // to the broker
    void device_changed(const server::DeviceChanged& changed);
    void session_changed(std::string device, bool opened);
    VerifierCounters counters() const;

private:
    struct Evidence {
        std::string device, bytes;
    };
    struct Online {
        std::string device;
    };
    struct StateChange {
        std::string device, device_class, state;
    };
    struct Session {
        std::string device;
        bool opened;
    };
    using Work = std::variant<Evidence, Online, StateChange, Session>;

    // A device as the schedule sees it. Times by the worker's clock (clock_ms).
    struct Watched {
        bool attestable = false;
        bool offline = false;      // the broker said that its session ended
        bool passed = false;       // its latest verdict is trusted
        bool stale = false;        // its latest verdict is stale
        std::int64_t pass_ms = 0;  // when it passed last
        std::int64_t challenge_due_ms = 0;
        std::int64_t challenged_ms = -1'000'000;
        NonceRecord nonces;
        crypto::Sha3_512Digest last_evidence{};  // of the bytes appraised last
    };

    Worker(store::Database& database, const server::Bus& bus, audit::Log& audit,
           VerifierOptions options, Publish publish, Nonces nonces, std::int64_t start_ms);

    std::int64_t clock_ms() const;  // never steps back
    std::int64_t jittered_period_ms();
    void push(Work work);
    void run();
    void load_devices();
    void handle(const Evidence& evidence);
    void handle(const Online& online);
    void handle(const StateChange& change);
    void handle(const Session& session);
    void tick();
    void challenge(const std::string& device, Watched& watched);
    void appraise_evidence(const Evidence& evidence, Watched& watched);
    void conclude(const std::string& device, Watched& watched, const VerdictRow& row);
    void ignore(std::string_view device, std::string_view why);
    void take_event(std::string_view device, std::string_view payload);

    store::Database& database_;
    const server::Bus& bus_;
    audit::Log& audit_;
    const VerifierOptions options_;
    const Publish publish_;
    const Nonces nonces_;
    const std::int64_t start_ms_;  // UTC
    const std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();

    mutable std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<Work> queue_;
    std::map<std::string, int, std::less<>> queued_evidence_;
    VerifierCounters counters_;
    bool stopping_ = false;
    std::atomic<bool> link_up_{false};

    // The worker only.
    bool loaded_ = false;
    bool load_failed_ = false;  // told already
    std::map<std::string, Watched, std::less<>> watched_;
    std::minstd_rand jitter_;

    std::thread thread_;
};

}  // namespace quoin::verifier
