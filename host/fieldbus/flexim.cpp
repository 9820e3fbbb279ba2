#include "host/fieldbus/flexim.hpp"

namespace quoin::fieldbus {

std::span<const Register> flexim_map() {
    static const std::vector<Register> map{
        {.name = "parts_good", .address = 0, .kind = Kind::input, .type = Type::u32, .labels = {}},
        {.name = "parts_discarded",
         .address = 2,
         .kind = Kind::input,
         .type = Type::u32,
         .labels = {}},
        {.name = "temperature_c",
         .address = 4,
         .kind = Kind::input,
         .type = Type::i16,
         .scale = 0.1,
         .labels = {}},
        {.name = "state",
         .address = 5,
         .kind = Kind::input,
         .type = Type::u16,
         .labels = {"idle", "running", "fault", "maintenance"}},
        {.name = "error_code", .address = 6, .kind = Kind::input, .type = Type::u16, .labels = {}},
        {.name = "cycle_ms", .address = 7, .kind = Kind::input, .type = Type::u16, .labels = {}},
        {.name = "setpoint_c",
         .address = 0,
         .kind = Kind::holding,
         .type = Type::i16,
         .scale = 0.1,
         .labels = {}},
        {.name = "door_closed", .address = 0, .kind = Kind::coil, .type = Type::bit, .labels = {}},
    };
    return map;
}

}  // namespace quoin::fieldbus
