// What `quoin doctor` looks at. Each function appends its findings; none changes anything.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/context.hpp"

namespace quoin::cli {

enum class Health : std::uint8_t { pass, warn, fail };

struct Finding {
    Health health;
    std::string thing;
    std::string detail;  // what was found, and what to do unless it is a pass
};

using Findings = std::vector<Finding>;

// Program files, their versions, the kernel, the user to run as, the clock.
void check_machine(Findings& findings);
// The home folder: mode, certificates' expiry, where the keys are.
void check_home(const Context& context, Findings& findings);
// The running plant: ports, readiness, the broker's link.
void check_plant(const Context& context, Findings& findings);

}  // namespace quoin::cli
