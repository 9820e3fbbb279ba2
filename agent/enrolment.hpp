// From a birth certificate to an operational one, and from that to the next.
//
//   birth.crt --enrol--> identity/1 --renew--> identity/2 --renew--> ...
//
// Make before break: the new identity is used against the plant before the disk switches to it;
// until then the old one stays, and its keys until the session uses the new ones. Threads: one;
// calls block on the network.
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

class Enrolment {
public:
    Enrolment(const Config& config, const IdentityStore& store, EstClient est,
              DeviceClass device_class)
        : config_(config), store_(store), est_(std::move(est)), class_(device_class) {}

    // With the birth certificate.
    Result<Enrolled> enrol() const;
    // With the present identity. An expired one is not accepted by the plant: enrol() then.
    Result<Enrolled> renew(const Identity& present) const;
    // The configuration has fallbacks, and the store of the present identity's key cannot be
    // reached: only enrol() goes on.
    Result<bool> is_out_of_reach() const;
    // From the key stores, all but those of the identity on disk, which must be the one in use.
    // What cannot be removed is told, and stays until the next time.
    void remove_old_keys(const std::string& device) const;
    // Asks the plant; while it is away, what it said the last time (HOME/plant.json).
    Result<PlantInfo> plant(const Identity& present) const;

private:
    Result<Enrolled> obtain(EstClient::Call call, const tls::Credentials& as,
                            const std::string& device) const;
    // From the key stores, but those that these certificates are for.
    Result<void> remove_keys_but(const std::optional<Certificates>& kept,
                                 const std::string& device) const;
    Result<Identity> request(EstClient::Call call, const tls::Credentials& as,
                             const std::string& device) const;
    Result<x509::Identity> check(const x509::Certificate& certificate,
                                 const std::vector<x509::Certificate>& intermediates,
                                 x509::Kind kind, const std::string& device) const;
    Result<void> keep(const EstClient::InfoReply& reply) const;

    const Config& config_;
    const IdentityStore& store_;
    const EstClient est_;
    const DeviceClass class_;
};

// The algorithm of the birth certificate tells, unless the configuration does.
Result<DeviceClass> class_of(const Config& config, const Birth& birth);

}  // namespace quoin::agent
