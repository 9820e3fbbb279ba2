// Where a topic or a subscription filter points to: docs/spec/plant.md, "Topics". Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace quoin::broker {

enum class Place : std::uint8_t {
    elsewhere,   // nothing that anybody may touch
    telemetry,   // quoin/SITE/DEVICE/telemetry/STREAM
    ack,         // quoin/SITE/DEVICE/ack/STREAM
    event,       // quoin/SITE/DEVICE/event
    cmd,         // quoin/SITE/DEVICE/cmd
    challenge,   // quoin/SITE/DEVICE/attest/challenge
    evidence,    // quoin/SITE/DEVICE/attest/evidence
    plant_event  // quoin-events/SITE/... without wildcards
};

struct Target {
    Place place = Place::elsewhere;
    std::string_view device = {};  // "" when it is the wildcard +; a view into the topic
    bool any_device = false;       // the device's level is +
    bool any_stream = false;       // the stream's level is +
};

// Anything that does not fit the table whole is `elsewhere`: other sites, `#`, `$SYS`, `$share`,
// empty or extra levels, ids outside I0, streams outside [a-z0-9_]{1,64}.
Target target_of(std::string_view site, std::string_view topic);

}  // namespace quoin::broker
