// One device that publishes numbered samples as fast as its window allows.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "host/net/mqtt_client.hpp"
#include "sim/load/credentials.hpp"
#include "sim/load/latency.hpp"

namespace quoin::sim {

struct PublishOptions {
    std::string stream = "load";
    std::uint64_t first = 1;  // the first sequence
    std::uint64_t messages = 1000;
    std::uint64_t window = 100;  // in flight
    bool until_stored = false;   // the window moves with the data server's acknowledgements
};

class Publisher {
public:
    static Result<std::unique_ptr<Publisher>> connect(const Access& access,
                                                      const PublishOptions& options,
                                                      const std::string& device,
                                                      tls::Context context);

    // Each blocks up to `timeout`.
    Result<void> wait_connected(std::chrono::milliseconds timeout);
    void start();
    Result<void> wait_done(std::chrono::milliseconds timeout);
    Latencies latencies() const;

private:
    using Clock = std::chrono::steady_clock;

    Publisher(Access access, PublishOptions options, std::string device)
        : access_(std::move(access)), options_(std::move(options)), device_(std::move(device)) {}
    std::string topic(const char* kind) const;
    void send_more();
    void finished_one(std::uint64_t sequence);
    void finished_up_to(std::uint64_t sequence);
    void complete(std::uint64_t sequence);  // under the mutex
    void on_message(const std::string& payload);
    void stop(const Error& error);
    std::uint64_t last() const { return options_.first + options_.messages - 1; }

    const Access access_;
    const PublishOptions options_;
    const std::string device_;

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    bool connected_ = false;
    std::optional<Error> error_;
    std::uint64_t next_ = 0;       // the next sequence to send
    std::uint64_t completed_ = 0;  // how many are done with
    std::vector<Clock::time_point> sent_at_;
    Latencies latencies_;
    std::unique_ptr<net::MqttClient> client_;  // last: its thread ends before the rest goes
};

}  // namespace quoin::sim
