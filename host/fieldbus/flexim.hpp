// The register map of the FLEXIM machine: what sim/flexim serves, and what an agent's source of
// type "flexim" reads.
//
//   kind     address  type  scale  name
//   input    0        u32   1      parts_good
//   input    2        u32   1      parts_discarded
//   input    4        i16   0.1    temperature_c
//   input    5        u16   1      state: idle, running, fault, maintenance
//   input    6        u16   1      error_code: 0 none, 17 overtemperature, 23 jam, 31 tool worn
//   input    7        u16   1      cycle_ms
//   holding  0        i16   0.1    setpoint_c
//   coil     0        bit          door_closed
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "host/fieldbus/registers.hpp"

namespace quoin::fieldbus {

enum class FleximState : std::uint8_t { idle, running, fault, maintenance };

inline constexpr std::uint16_t flexim_error_none = 0;
inline constexpr std::uint16_t flexim_error_overtemperature = 17;
inline constexpr std::uint16_t flexim_error_jam = 23;
inline constexpr std::uint16_t flexim_error_tool_worn = 31;

// In the order of the table above. Lives as long as the program.
std::span<const Register> flexim_map();

}  // namespace quoin::fieldbus
