// The model of a FLEXIM machine: seeded, in simulated time, without a clock of its own.
//
//        start                 jam, cooling failure
//   idle ------> running ------------------------------> fault ----cleared----> idle
//                   '----tool worn----> maintenance ----new tool----> idle
//
// Temperature in degrees Celsius: follows the setpoint, drifts slowly, rises while running, has
// rare spikes, and climbs without an end when the cooling fails. Threads: one.
#pragma once

#include <cstdint>
#include <random>
#include <string>

#include "host/fieldbus/flexim.hpp"

namespace quoin::sim {

struct Reading {
    std::uint32_t parts_good = 0;
    std::uint32_t parts_discarded = 0;
    double temperature_c = 0;
    fieldbus::FleximState state = fieldbus::FleximState::idle;
    std::uint16_t error_code = fieldbus::flexim_error_none;
    std::uint16_t cycle_ms = 0;  // of the last part
    bool door_closed = true;
};

class Machine {
public:
    explicit Machine(std::uint64_t seed);
    // Lets `seconds` pass (0..3600), in steps of at most 100 ms.
    void advance(double seconds);
    void set_setpoint_c(double setpoint_c);  // clamped to 20..90
    double setpoint_c() const { return setpoint_c_; }
    const Reading& reading() const { return reading_; }

private:
    void step(double seconds);
    void heat(double seconds);
    void work(double seconds);
    void finish_part();
    void enter(fieldbus::FleximState state, std::uint16_t error_code, double least_s,
               double most_s);
    double uniform(double least, double most);
    bool chance(double probability);

    std::mt19937_64 random_;
    Reading reading_;
    double setpoint_c_ = 60.0;
    double temperature_c_ = 25.0;
    double spike_c_ = 0;
    double wear_ = 0;  // 1: the tool is worn out
    double drift_phase_ = 0;
    bool cooling_failed_ = false;
    double in_state_s_ = 0;  // still to stay, for idle, fault and maintenance
    double to_part_s_ = 0;   // until the part in work is done
    double part_s_ = 0;
    double owed_s_ = 0;  // passed, but less than a step
};

}  // namespace quoin::sim
