#include "server/telemetry/telemetry.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace quoin::telemetry {

Result<std::unique_ptr<Telemetry>> Telemetry::start(store::Database& database, server::Bus& bus,
                                                    audit::Log& audit, tls::Context tls,
                                                    TelemetryOptions options) {
    auto telemetry = std::unique_ptr<Telemetry>(new Telemetry);
    const std::string filter = fmt::format("quoin/{}/+/telemetry/+", options.ingest.site);
    // The first messages may come before the client is ours: an acknowledgement waits for it.
    auto client = std::make_shared<std::atomic<net::MqttClient*>>(nullptr);
    Publish publish = [client](std::string topic, std::string payload) {
        client->wait(nullptr);
        client->load()->publish(std::move(topic), std::move(payload), 1, false, nullptr);
    };
    telemetry->ingest_ = std::make_shared<Ingest>(database, bus, audit, std::move(options.ingest),
                                                  std::move(publish));
    bus.verdict_reached.listen(
        [weak = std::weak_ptr(telemetry->ingest_)](const server::VerdictReached& reached) {
            const auto ingest = weak.lock();
            if (!ingest) return;
            if (reached.verdict == server::Verdict::untrusted) {
                ingest->verdict(reached.device, false, reached.at_ms);
            } else if (reached.verdict == server::Verdict::trusted) {
                ingest->verdict(reached.device, true, reached.at_ms);
            }
        });

    net::MqttCallbacks callbacks;
    callbacks.connected = [connected = telemetry->connected_](bool) { *connected = true; };
    callbacks.disconnected = [connected = telemetry->connected_](const Error& error) {
        if (connected->exchange(false)) spdlog::warn("telemetry: broker: {}", error.message);
    };
    callbacks.message = [ingest = telemetry->ingest_](const std::string& topic,
                                                      std::string payload) {
        ingest->accept(topic, std::move(payload));
    };
    QUOIN_TRY(telemetry->mqtt_, net::MqttClient::start(std::move(options.broker), std::move(tls),
                                                       {filter}, std::move(callbacks)));
    client->store(telemetry->mqtt_.get());
    client->notify_all();
    return telemetry;
}

Telemetry::~Telemetry() {
    // The committer publishes acknowledgements: it ends before the client does.
    if (ingest_) ingest_->stop();
    mqtt_.reset();
}

}  // namespace quoin::telemetry
