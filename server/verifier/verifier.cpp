#include "server/verifier/verifier.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <atomic>

#include "server/verifier/worker.hpp"

namespace quoin::verifier {
namespace {

class Running : public Verifier {
public:
    Running(std::shared_ptr<Worker> worker, std::unique_ptr<net::MqttClient> mqtt,
            std::shared_ptr<std::atomic<bool>> connected)
        : worker_(std::move(worker)), mqtt_(std::move(mqtt)), connected_(std::move(connected)) {}
    ~Running() override {
        // The worker publishes: it ends before the client does.
        worker_->stop();
        mqtt_.reset();
    }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

    bool connected() const override { return *connected_; }
    VerifierCounters counters() const override { return worker_->counters(); }
    void replace_tls(tls::Context tls) override { mqtt_->replace_tls(std::move(tls)); }

private:
    std::shared_ptr<Worker> worker_;
    std::unique_ptr<net::MqttClient> mqtt_;
    std::shared_ptr<std::atomic<bool>> connected_;
};

void listen(server::Bus& bus, const std::weak_ptr<Worker>& weak) {
    bus.device_changed.listen([weak](const server::DeviceChanged& changed) {
        if (const auto worker = weak.lock()) worker->device_changed(changed);
    });
    bus.broker_session.listen([weak](const server::BrokerSession& session) {
        const auto worker = weak.lock();
        if (!worker) return;
        if (const auto* opened = std::get_if<feed::Connected>(&session.report)) {
            worker->session_changed(opened->id, true);
        } else if (const auto* closed = std::get_if<feed::Disconnected>(&session.report)) {
            worker->session_changed(closed->id, false);
        }
    });
}

}  // namespace

Result<std::unique_ptr<Verifier>> Verifier::start(store::Database& database, server::Bus& bus,
                                                  audit::Log& audit, tls::Context tls,
                                                  VerifierOptions options) {
    const std::vector<std::string> filters{fmt::format("quoin/{}/+/attest/evidence", options.site),
                                           fmt::format("quoin/{}/+/event", options.site)};
    net::MqttOptions broker = options.broker;
    // The worker may want to publish before the client is ours: it waits for it.
    auto client = std::make_shared<std::atomic<net::MqttClient*>>(nullptr);
    auto publish = [client](std::string topic, std::string payload) {
        client->wait(nullptr);
        client->load()->publish(std::move(topic), std::move(payload), 1, false, nullptr);
    };
    QUOIN_TRY(auto started, Worker::start(database, bus, audit, std::move(options), publish));
    const std::shared_ptr<Worker> worker = std::move(started);
    listen(bus, worker);

    auto connected = std::make_shared<std::atomic<bool>>(false);
    net::MqttCallbacks callbacks;
    callbacks.connected = [connected, worker](bool) {
        *connected = true;
        worker->link(true);
    };
    callbacks.disconnected = [connected, worker](const Error& error) {
        if (connected->exchange(false)) spdlog::warn("verifier: broker: {}", error.message);
        worker->link(false);
    };
    callbacks.message = [worker](const std::string& topic, std::string payload) {
        worker->message(topic, std::move(payload));
    };
    QUOIN_TRY(auto mqtt, net::MqttClient::start(std::move(broker), std::move(tls), filters,
                                                std::move(callbacks)));
    client->store(mqtt.get());
    client->notify_all();
    return std::make_unique<Running>(worker, std::move(mqtt), connected);
}

}  // namespace quoin::verifier
