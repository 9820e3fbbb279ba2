// The data server: role `telemetry` of quoind. One MQTT session as service.telemetry, one Ingest.
//
// Threads: start() and the destructor from one thread; the rest from any.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "host/error.hpp"
#include "host/net/mqtt_client.hpp"
#include "host/store/database.hpp"
#include "host/tls/policy.hpp"
#include "server/bus/bus.hpp"
#include "server/telemetry/ingest.hpp"

namespace quoin::telemetry {

struct TelemetryOptions {
    net::MqttOptions broker;  // host, port, client id "service.telemetry" or "service.telemetry-X"
    IngestOptions ingest;     // site among them
};

class Telemetry {
public:
    // Listens on `bus` for verdicts: call before anything is published there. `database`, `bus` and
    // `audit` must outlive it.
    static Result<std::unique_ptr<Telemetry>> start(store::Database& database, server::Bus& bus,
                                                    audit::Log& audit, tls::Context tls,
                                                    TelemetryOptions options);
    Telemetry(const Telemetry&) = delete;
    Telemetry& operator=(const Telemetry&) = delete;
    ~Telemetry();

    const IngestCounters& counters() const { return ingest_->counters(); }
    bool connected() const { return *connected_; }
    bool ready() const { return connected() && ingest_->ready(); }
    // The next connection uses this context (renewed service certificate).
    void replace_tls(tls::Context tls) { mqtt_->replace_tls(std::move(tls)); }

private:
    Telemetry() = default;

    std::shared_ptr<std::atomic<bool>> connected_ = std::make_shared<std::atomic<bool>>(false);
    std::shared_ptr<Ingest> ingest_;
    std::unique_ptr<net::MqttClient> mqtt_;
};

}  // namespace quoin::telemetry
