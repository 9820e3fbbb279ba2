// From a birth certificate to an operational one, and from that to the next.
//
//   birth.crt --enrol--> identity/1 --renew--> identity/2 --renew--> ...
//
// Make before break: the new identity is used against the plant before the disk switches to it;
// until then the old one stays, and its keys until the session uses the new ones. A request is sent
// again with the same keys, while an operator has not decided, after an answer that was lost, and
// after a start: the plant issues once for a key. Threads: one; calls block on the network.
#pragma once

#include "agent/config.hpp"
#include "agent/est.hpp"
#include "agent/identity.hpp"
#include "host/error.hpp"

namespace quoin::agent {

struct Enrolled {
    Identity identity;
    PlantInfo plant;
};

using Outcome = std::variant<Enrolled, Pending>;

class Enrolment {
public:
    Enrolment(const Config& config, const IdentityStore& store, const EstClient& est,
              DeviceClass device_class)
        : Enrolment(config, store, est, est, device_class) {}
    // A move: asks as the device stands now, and gets and proves an identity of `next`.
    Enrolment(const Config& config, const IdentityStore& store, EstClient est, EstClient next,
              DeviceClass device_class)
        : config_(config),
          store_(store),
          est_(std::move(est)),
          next_(std::move(next)),
          class_(device_class) {}

    // The way to the enrolment of a plant that migrates to `suite`: with its new root, if that is
    // certified by a pinned one.
    Result<Enrolment> move_to(tls::Suite suite) const;
    tls::Suite target() const { return next_.suite(); }
    Standing standing() const { return {est_.suite(), est_.anchors()}; }

    // With the birth certificate.
    Result<Outcome> enrol();
    // With the present identity. An expired one is not accepted by the plant: enrol() then.
    Result<Outcome> renew(const Identity& present);
    // SHA-256 of the keys that the present request is for, for the log and the operator.
    Result<std::string> asked_keys() const;
    // The configuration has fallbacks, and the store of the present identity's key cannot be
    // reached: only enrol() goes on.
    Result<bool> is_out_of_reach() const;
    // From the key stores, all but those of the identity on disk, which must be the one in use.
    // What cannot be removed is told, and stays until the next time.
    void remove_old_keys(const std::string& device) const;
    // Asks the plant; while it is away, what it said the last time (HOME/plant.json).
    Result<PlantInfo> plant(const Identity& present) const;

private:
    // What is asked for, on disk, too; and how often it has failed.
    struct Attempt {
        Asked asked;
        unsigned failures = 0;
    };
    Result<Outcome> obtain(EstClient::Call call, const tls::Credentials& as,
                           const std::string& device);
    Result<Outcome> try_obtain(EstClient::Call call, const tls::Credentials& as,
                               const std::string& device);
    Result<Asked> keys_to_ask_for(EstClient::Call call, const tls::Credentials& as,
                                  const std::string& device) const;
    Result<std::optional<Asked>> asked_before() const;
    Result<Asked> new_keys(const tls::Credentials& as, const std::string& device) const;
    void forget_attempt();
    // From the key stores, but those that these certificates are for.
    Result<void> remove_keys_but(const std::optional<Certificates>& kept,
                                 const std::string& device) const;
    Result<std::variant<Identity, Pending>> request(EstClient::Call call,
                                                    const tls::Credentials& as,
                                                    const std::string& device) const;
    Result<x509::Identity> check(const x509::Certificate& certificate,
                                 const std::vector<x509::Certificate>& intermediates,
                                 x509::Kind kind, const std::string& device) const;
    Result<void> keep(const EstClient::InfoReply& reply) const;
    Result<void> reach_broker(const PlantInfo& plant, const Identity& identity) const;

    const Config& config_;
    const IdentityStore& store_;
    EstClient est_;
    EstClient next_;  // how the device stands with what it gets: but in a move as it does now
    const DeviceClass class_;
    std::optional<Attempt> attempt_;
};

// The algorithm of the birth certificate tells, unless the configuration does.
Result<DeviceClass> class_of(const Config& config, const Birth& birth);

}  // namespace quoin::agent
