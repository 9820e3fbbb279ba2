#include "sim/flexim/machine.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace quoin::sim {
namespace {

using fieldbus::FleximState;

constexpr double step_s = 0.1;
constexpr double max_advance_s = 3600;
constexpr double ambient_c = 24;
constexpr double overtemperature_c = 95;
constexpr double settle_s = 120;       // time constant towards the setpoint
constexpr double climb_c_per_s = 0.8;  // while the cooling is out
constexpr double drift_c = 3;          // slow, over half an hour
constexpr double drift_period_s = 1800;
constexpr double spike_per_s = 1.0 / 90;
constexpr double spike_fade_s = 4;
constexpr double nominal_cycle_s = 2.4;
constexpr double cooling_failure_per_part = 1.0 / 900;
constexpr double jam_per_part = 1.0 / 250;
constexpr double wear_per_part = 1.0 / 1500;
constexpr double scrap_new_tool = 0.006;
constexpr double scrap_worn_tool = 0.18;  // added in full when the tool is worn out

}  // namespace

Machine::Machine(std::uint64_t seed)
    : random_(seed), wear_(uniform(0, 0.6)), drift_phase_(uniform(0, 2 * std::numbers::pi)) {
    enter(FleximState::idle, fieldbus::flexim_error_none, 1, 3);
    heat(0);
}

double Machine::uniform(double least, double most) {
    return std::uniform_real_distribution<double>(least, most)(random_);
}

bool Machine::chance(double probability) { return uniform(0, 1) < probability; }

void Machine::set_setpoint_c(double setpoint_c) {
    setpoint_c_ = std::clamp(setpoint_c, 20.0, 90.0);
}

void Machine::enter(FleximState state, std::uint16_t error_code, double least_s, double most_s) {
    reading_.state = state;
    reading_.error_code = error_code;
    reading_.door_closed = state != FleximState::maintenance;
    in_state_s_ = uniform(least_s, most_s);
}

void Machine::advance(double seconds) {
    owed_s_ += std::clamp(seconds, 0.0, max_advance_s);
    while (owed_s_ >= step_s) {
        owed_s_ -= step_s;
        step(step_s);
    }
}

void Machine::step(double seconds) {
    heat(seconds);
    if (reading_.state == FleximState::running) {
        work(seconds);
        return;
    }
    in_state_s_ -= seconds;
    const bool hot = reading_.error_code == fieldbus::flexim_error_overtemperature &&
                     temperature_c_ > setpoint_c_;
    if (in_state_s_ > 0 || hot) return;
    if (reading_.state == FleximState::idle) {
        enter(FleximState::running, fieldbus::flexim_error_none, 0, 0);
        part_s_ = to_part_s_ = nominal_cycle_s * uniform(0.95, 1.1);
        return;
    }
    if (reading_.state == FleximState::maintenance) wear_ = 0;
    enter(FleximState::idle, fieldbus::flexim_error_none, 2, 8);
}

void Machine::heat(double seconds) {
    const bool running = reading_.state == FleximState::running;
    drift_phase_ += 2 * std::numbers::pi * seconds / drift_period_s;
    if (cooling_failed_ && running) {
        temperature_c_ += climb_c_per_s * seconds * uniform(0.7, 1.3);
    } else {
        const double target = running ? setpoint_c_ + drift_c * std::sin(drift_phase_) : ambient_c;
        temperature_c_ += (target - temperature_c_) * (1 - std::exp(-seconds / settle_s));
        temperature_c_ += uniform(-0.05, 0.05);
    }
    if (running && chance(spike_per_s * seconds)) spike_c_ = uniform(4, 12);
    spike_c_ *= std::exp(-seconds / spike_fade_s);
    reading_.temperature_c = temperature_c_ + spike_c_;
}

void Machine::work(double seconds) {
    if (temperature_c_ > overtemperature_c) {
        cooling_failed_ = false;  // repaired while it cools
        enter(FleximState::fault, fieldbus::flexim_error_overtemperature, 30, 60);
        return;
    }
    to_part_s_ -= seconds;
    if (to_part_s_ <= 0) finish_part();
}

void Machine::finish_part() {
    reading_.cycle_ms = static_cast<std::uint16_t>(std::lround(part_s_ * 1000));
    wear_ = std::min(1.0, wear_ + wear_per_part * uniform(0.5, 1.5));
    const bool discarded = chance(scrap_new_tool + scrap_worn_tool * wear_ * wear_);
    discarded ? ++reading_.parts_discarded : ++reading_.parts_good;
    // A worn tool works slower.
    part_s_ = nominal_cycle_s * uniform(0.95, 1.1) * (1 + 0.2 * wear_);
    to_part_s_ += part_s_;
    if (wear_ >= 1.0) {
        enter(FleximState::maintenance, fieldbus::flexim_error_tool_worn, 90, 180);
    } else if (chance(jam_per_part)) {
        ++reading_.parts_discarded;
        enter(FleximState::fault, fieldbus::flexim_error_jam, 15, 45);
    } else if (chance(cooling_failure_per_part)) {
        cooling_failed_ = true;
    }
}

}  // namespace quoin::sim
