// The verifier: role `verifier` of quoind. Asks every mpu device for evidence, judges it, and
// tells.
//
//   MQTT client's thread         bounded queue         worker thread
//   evidence, events      -----> (4 a device)  ----->  open, load facts, appraise
//   bus                   -----------------------^       | record (database), audit
//                                                        | bus.verdict_reached (fleet: state,
//                                                        broker) | untrusted:
//                                                        quoin-events/SITE/isolation
//   every 100 ms: challenges that are due, passes that are older than their lifetime
//
// A device is asked when it says `online`, then each period (with jitter), again at each timeout
// without an answer. A pass older than the lifetime ends in stale(no_answer). Threads: start() and
// the destructor from one thread; the rest from any.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "host/audit/audit.hpp"
#include "host/error.hpp"
#include "host/net/mqtt_client.hpp"
#include "host/store/database.hpp"
#include "host/tls/policy.hpp"
#include "server/bus/bus.hpp"
#include "server/verifier/appraisal.hpp"
#include "server/verifier/device_record.hpp"
#include "server/verifier/references.hpp"

namespace quoin::verifier {

struct VerifierOptions {
    std::string site;
    net::MqttOptions broker;  // host, port, client id "service.verifier" or "service.verifier-X"
    std::chrono::milliseconds period{30'000};
    std::chrono::milliseconds timeout{10'000};
    std::chrono::milliseconds lifetime{90'000};  // of a pass
    evidence::Level minimum_level = evidence::Level::self_reported;
};

// For /metrics.
struct VerifierCounters {
    std::uint64_t challenges = 0, trusted = 0, untrusted = 0, stale = 0;
    std::uint64_t ignored =
        0;  // redelivered, superseded, of devices that are not asked, too many at once
};

class Verifier {
public:
    // Listens on `bus`: call before anything is published there. All three must outlive it.
    static Result<std::unique_ptr<Verifier>> start(store::Database& database, server::Bus& bus,
                                                   audit::Log& audit, tls::Context tls,
                                                   VerifierOptions options);
    virtual ~Verifier() = default;  // ends the worker after the evidence in hand, then the session

    virtual bool connected() const = 0;
    virtual VerifierCounters counters() const = 0;
    // The next connection uses this context (renewed service certificate).
    virtual void replace_tls(tls::Context tls) = 0;
};

}  // namespace quoin::verifier
