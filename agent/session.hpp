// The device's session with the broker: publishes, takes acknowledgements, answers challenges.
//
// Subscribes to its own branch only. A challenge is answered on a thread of its own, the newest one
// first, so that signing holds up no telemetry. Evidence names the certificate of the connection
// that the challenge came over, and goes out on that connection or not at all. There is no session
// while the broker's certificate is not known to be good. Threads: the methods from one thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <latch>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "agent/attestation.hpp"
#include "agent/broker_status.hpp"
#include "agent/config.hpp"
#include "agent/identity.hpp"
#include "agent/publisher.hpp"
#include "host/net/mqtt_client.hpp"

namespace quoin::agent {

struct SessionOptions {
    std::string broker_host;
    std::uint16_t broker_port = 8883;
    DeviceClass device_class = DeviceClass::mpu;
    std::uint64_t boot_counter = 0;
    Standing standing;  // what the broker is held to
};

class Session final : private Outlet {
public:
    static Result<std::unique_ptr<Session>> start(const Config& config, SessionOptions options,
                                                  Queue& queue, Identity identity);
    ~Session() override;
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    // Goes on with a renewed identity: reconnects at once. When it returns, no connection is made
    // with the one before any more.
    Result<void> replace(Identity identity);
    // Its attestation key is bound to another platform than this one is now.
    bool needs_attestation_key() const { return needs_attestation_key_; }

private:
    Session(const Config& config, SessionOptions options, Queue& queue, Identity identity);
    Result<tls::Context> context(const Identity& identity) const;
    Result<void> connect(tls::Context tls);

    void publish(std::string topic, std::string payload,
                 std::function<void(Result<void>)> done) override;
    void post(std::function<void()> work) override { client_->post(std::move(work)); }
    void after(std::chrono::milliseconds delay, std::function<void()> work) override {
        client_->after(delay, std::move(work));
    }

    void connected(bool session_present);
    void disconnected(const Error& error);
    void message(std::string_view topic, std::string_view payload);
    void challenged(std::string_view payload);
    void attest(const std::stop_token& stop);
    struct Asked {
        attest::Challenge challenge;
        std::shared_ptr<const Identity> identity;
        std::uint64_t connection;
    };
    void answer_one(const Asked& asked);
    void send_evidence(const Asked& asked, std::string evidence);

    const Config& config_;
    const SessionOptions options_;
    Queue& queue_;
    const std::string branch_;  // "quoin/SITE/DEVICE"
    BrokerStatus broker_status_;
    Publisher publisher_;
    // Between a source that adds to the queue, at any time, and the end of this session.
    struct Waker {
        std::mutex mutex;
        Publisher* publisher;  // null: it has ended
    };
    std::shared_ptr<Waker> waker_;
    std::latch ready_{1};  // client_ is set: its thread runs before start() has returned

    std::mutex mutex_;
    std::condition_variable_any asked_;
    std::optional<Asked> challenge_;  // guarded by mutex_
    // On the client's thread once it runs:
    std::shared_ptr<const Identity> identity_;  // of the present connection, or of the next
    std::uint64_t connection_ = 0;              // counts them
    std::string told_;                          // why there is none, as the log has it
    std::atomic<bool> needs_attestation_key_{false};
    // Not reset(): its thread uses this pointer until the client's destructor has joined it.
    std::unique_ptr<net::MqttClient> client_;
    std::jthread attester_;
};

}  // namespace quoin::agent
