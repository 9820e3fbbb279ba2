#include "server/fleet/lifecycle.hpp"

#include <array>
#include <utility>

namespace quoin::server {
namespace {

constexpr std::array<std::pair<State, std::string_view>, 8> states{{
    {State::expected, "expected"},
    {State::onboarding, "onboarding"},
    {State::active, "active"},
    {State::degraded, "degraded"},
    {State::quarantined, "quarantined"},
    {State::revoked, "revoked"},
    {State::transferred, "transferred"},
    {State::retired, "retired"},
}};

bool is_final(State state) {
    return state == State::revoked || state == State::transferred || state == State::retired;
}

}  // namespace

std::vector<std::string_view> state_names() {
    std::vector<std::string_view> names;
    names.reserve(states.size());
    for (const auto& [value, name] : states) names.push_back(name);
    return names;
}

std::string_view state_name(State state) {
    for (const auto& [value, name] : states) {
        if (value == state) return name;
    }
    std::unreachable();
}

Result<State> state_by_name(std::string_view name) {
    for (const auto& [value, known] : states) {
        if (known == name) return value;
    }
    return fail(Code::integrity_mismatch, "\"{}\" is not a device state", name);
}

std::string_view class_name(DeviceClass device_class) {
    return device_class == DeviceClass::mcu ? "mcu" : "mpu";
}

Result<DeviceClass> class_by_name(std::string_view name) {
    if (name == "mcu") return DeviceClass::mcu;
    if (name == "mpu") return DeviceClass::mpu;
    return fail(Code::integrity_mismatch, "\"{}\" is not a device class", name);
}

LifeEvent life_event(Verdict verdict) {
    switch (verdict) {
        case Verdict::trusted:
            return LifeEvent::trusted;
        case Verdict::untrusted:
            return LifeEvent::untrusted;
        case Verdict::stale:
            return LifeEvent::stale;
        case Verdict::no_policy:
            return LifeEvent::no_policy;
    }
    std::unreachable();
}

std::string_view verdict_name(Verdict verdict) {
    switch (verdict) {
        case Verdict::trusted:
            return "trusted";
        case Verdict::untrusted:
            return "untrusted";
        case Verdict::stale:
            return "stale";
        case Verdict::no_policy:
            return "no policy";
    }
    std::unreachable();
}

bool takes_verdicts(State state) {
    return state == State::onboarding || state == State::active || state == State::degraded;
}

std::optional<State> next_state(State from, DeviceClass device_class, LifeEvent event) {
    const bool live = takes_verdicts(from);
    switch (event) {
        case LifeEvent::enrolled:
            if (from != State::expected) return std::nullopt;
            return device_class == DeviceClass::mcu ? State::active : State::onboarding;
        case LifeEvent::trusted:
            if (from != State::onboarding && from != State::degraded) return std::nullopt;
            return State::active;
        case LifeEvent::untrusted:
            if (!live) return std::nullopt;
            return State::quarantined;
        case LifeEvent::stale:
        case LifeEvent::no_policy:
            if (from != State::active || device_class == DeviceClass::mcu) return std::nullopt;
            return State::degraded;
        case LifeEvent::release:
            if (from != State::quarantined) return std::nullopt;
            return State::degraded;
        case LifeEvent::revoke:
            if (is_final(from)) return std::nullopt;
            return State::revoked;
        case LifeEvent::readmit:
            if (from != State::revoked) return std::nullopt;
            return State::expected;
    }
    std::unreachable();
}

feed::Grant grant_of(State state) {
    switch (state) {
        case State::active:
            return feed::Grant::full;
        case State::onboarding:
        case State::degraded:
            return feed::Grant::attest_only;
        case State::expected:
        case State::quarantined:
        case State::revoked:
        case State::transferred:
        case State::retired:
            return feed::Grant::none;
    }
    std::unreachable();
}

}  // namespace quoin::server
