// The life of a device: which event leads from which state to which, and what the broker then
// allows.
//
//                     enrolled (mpu)               trusted
//   expected -----------------------> onboarding ----------> active <------------+
//      |      enrolled (mcu)                                 ^  |                |
//      +-----------------------------------------------------+  | stale,         | trusted
//                                                               v no policy      |
//                       quarantined -- release --------------> degraded ---------+
//                            ^                                  |
//                            +---- untrusted (from onboarding, active, degraded)
//
//   any of these -- revoke --> revoked -- readmit (a new birth certificate: the next epoch) -->
//   expected.      transferred, retired: nothing leads out.
//
// A quarantined device stays so whatever the verdict: an operator releases it, and the next passing
// appraisal lifts it. An mcu has no verifier: `no policy` is shown and moves nothing.
//
// Source: docs/spec/plant.md, "Grants"; design, section 7. Threads: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "host/error.hpp"
#include "host/feed/feed.hpp"
#include "server/bus/bus.hpp"

namespace quoin::server {

enum class State : std::uint8_t {
    expected,
    onboarding,
    active,
    degraded,
    quarantined,
    revoked,
    transferred,
    retired,
};
enum class DeviceClass : std::uint8_t { mcu, mpu };
enum class LifeEvent : std::uint8_t {
    enrolled,
    trusted,
    untrusted,
    stale,
    no_policy,
    release,
    revoke,
    readmit
};

std::vector<std::string_view> state_names();  // all, in the order of the enum
std::string_view state_name(State state);
std::string_view class_name(DeviceClass device_class);
// What is in the database but not in this list is integrity_mismatch.
Result<State> state_by_name(std::string_view name);
Result<DeviceClass> class_by_name(std::string_view name);
LifeEvent life_event(Verdict verdict);
std::string_view verdict_name(Verdict verdict);

// The state after `event`; nullopt: the event does not move this state.
std::optional<State> next_state(State from, DeviceClass device_class, LifeEvent event);
feed::Grant grant_of(State state);
// True if a verdict about a device in this state is recorded: it is enrolled and not out.
bool takes_verdicts(State state);

}  // namespace quoin::server
