// The one event interface between the roles of quoind: who wants to know registers, who knows
// calls.
//
// Calls are synchronous, in the order of registration, on the thread that publishes; a listener
// must be quick or hand the work to a thread of its own. Register everything before the first
// publish. Threads: publish from any thread, holding no lock that a listener of yours takes;
// listeners lock what they own.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "host/feed/feed.hpp"
#include "host/feed/revocation.hpp"

namespace quoin::server {

// fleet: a device's row changed (state, certificates, verdict). The grant is what the broker must
// apply.
struct DeviceChanged {
    std::string device;
    std::string device_class;  // "mcu" or "mpu"
    std::uint64_t epoch = 1;   // how often it was taken in
    std::string state;
    feed::Grant grant;
    std::string reason;
};
// fleet: certificates were revoked (committed); the list must be issued again.
struct CertificatesRevoked {
    std::vector<std::string> subjects;      // devices, or names of services and operators
    std::vector<std::string> serials = {};  // of their certificates; not of those that had expired
};
// fleet: a revocation was signed and committed. Before the DeviceChanged of its devices, in the
// order of the numbers.
struct RevocationStated {
    const feed::SealedStatement& sealed;
};
// pki: a certificate of a device was issued and recorded, and is about to be handed out.
struct CertificateIssued {
    std::string device;
    std::string kind;  // "device" or "attest"
    std::string serial;
};
// verifier: an appraisal ended.
enum class Verdict : std::uint8_t { trusted, untrusted, stale, no_policy };
struct VerdictReached {
    std::string device;
    Verdict verdict;
    std::string reason;  // "" when trusted; else measurement_mismatch:agent, replayed, late …
    std::string level;   // "self-reported" …
    std::int64_t at_ms;
};
// telemetry: samples were committed (for followers).
struct SampleStored {
    std::string device, stream;
    std::uint64_t seq;
    std::int64_t ts_ms, stored_ms;
    bool suspect;
    std::string values_json;
};
struct SamplesStored {
    std::vector<SampleStored> samples;
};
// broker feed: what the plugin reported.
struct BrokerSession {
    feed::FromPlugin report;
};
// broker feed: the plugin is there (a snapshot went out), or gone.
struct BrokerLink {
    bool up;
};

template <class Event>
class Topic {
public:
    void listen(std::function<void(const Event&)> listener) {
        listeners_.push_back(std::move(listener));
    }
    void publish(const Event& event) const {
        for (const auto& listener : listeners_) listener(event);
    }

private:
    std::vector<std::function<void(const Event&)>> listeners_;
};

struct Bus {
    Topic<DeviceChanged> device_changed;
    Topic<CertificatesRevoked> certificates_revoked;
    Topic<RevocationStated> revocation_stated;
    Topic<CertificateIssued> certificate_issued;
    Topic<VerdictReached> verdict_reached;
    Topic<SamplesStored> samples_stored;
    Topic<BrokerSession> broker_session;
    Topic<BrokerLink> broker_link;
};

}  // namespace quoin::server
