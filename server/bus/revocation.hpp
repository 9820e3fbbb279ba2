// A revocation, as the API asks for it and the fleet answers. Plain values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/x509/revocation_reason.hpp"

namespace quoin::server {

inline constexpr std::size_t max_revoked_at_once = 500;  // devices of one request: one transaction

struct RevocationRequest {
    std::vector<std::string> devices;  // ids; those named twice count once
    x509::Reason reason = x509::Reason::unspecified;
    std::string note = {};  // for people, at most feed::max_note_bytes
    std::string actor = {};
};

// Of certificates that a ceremony made.
struct NamedRevocation {
    std::string kind;  // "service" or "operator"
    std::string name;
    std::string serial = {};  // this one only; empty: all of the name
    x509::Reason reason = x509::Reason::unspecified;
    std::string actor = {};
};

struct EndedCertificate {
    std::string serial;
    std::string kind;  // "device" or "attest"
};
// What of one device ends: certificates that have not expired, requests for some that wait.
struct DeviceEnding {
    std::string device;
    std::string device_class;
    std::string state;  // before
    std::uint64_t epoch = 1;
    std::vector<EndedCertificate> certificates = {};
    std::vector<std::int64_t> enrolments = {};  // their numbers
};
struct RevocationOutcome {
    std::vector<DeviceEnding> ended = {};
    std::vector<std::string> already = {};  // were revoked before
    std::vector<std::string> unknown = {};
    std::vector<std::string> gone = {};  // transferred or retired: nothing of them is left to end
    std::uint64_t statement = 0;  // number of the last one that says so; 0: nothing was to be said
};

}  // namespace quoin::server
