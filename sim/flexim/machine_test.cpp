#include "sim/flexim/machine.hpp"

#include <gtest/gtest.h>

#include <set>

namespace quoin::sim {
namespace {

using fieldbus::FleximState;

TEST(flexim_machine, same_seed__same_history) {
    Machine a(7);
    Machine b(7);
    Machine other(8);
    for (int i = 0; i < 100; ++i) {
        a.advance(60);
        b.advance(60);
        other.advance(60);
    }
    EXPECT_EQ(a.reading().parts_good, b.reading().parts_good);
    EXPECT_EQ(a.reading().temperature_c, b.reading().temperature_c);
    EXPECT_NE(a.reading().temperature_c, other.reading().temperature_c);
}

TEST(flexim_machine, a_day__shows_every_state_and_every_fault) {
    Machine machine(1);
    std::set<FleximState> states;
    std::set<std::uint16_t> errors;
    for (int second = 0; second < 86'400; ++second) {
        machine.advance(1);
        const Reading& now = machine.reading();
        states.insert(now.state);
        errors.insert(now.error_code);
        ASSERT_GT(now.temperature_c, 0);
        ASSERT_LT(now.temperature_c, 130);
        const bool stopped =
            now.state == FleximState::fault || now.state == FleximState::maintenance;
        ASSERT_EQ(now.error_code != fieldbus::flexim_error_none, stopped);
    }
    EXPECT_EQ(states.size(), 4U);
    EXPECT_EQ(errors.size(), 4U);
    EXPECT_GT(machine.reading().parts_good, 10'000U);
    EXPECT_GT(machine.reading().parts_discarded, 100U);
    EXPECT_LT(machine.reading().parts_discarded, machine.reading().parts_good / 4);
}

TEST(flexim_machine, parts__only_grow_and_only_while_running) {
    Machine machine(3);
    Reading before = machine.reading();
    for (int i = 0; i < 20'000; ++i) {
        machine.advance(0.1);
        const Reading& now = machine.reading();
        ASSERT_GE(now.parts_good, before.parts_good);
        ASSERT_GE(now.parts_discarded, before.parts_discarded);
        if (before.state != FleximState::running) {
            ASSERT_EQ(now.parts_good, before.parts_good);
        }
        before = now;
    }
}

TEST(flexim_machine, setpoint__out_of_range__is_clamped) {
    Machine machine(3);
    machine.set_setpoint_c(500);
    EXPECT_EQ(machine.setpoint_c(), 90);
    machine.set_setpoint_c(-5);
    EXPECT_EQ(machine.setpoint_c(), 20);
}

}  // namespace
}  // namespace quoin::sim
