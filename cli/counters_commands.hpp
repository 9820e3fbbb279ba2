// quoin counters status | adopt
#pragma once

#include "cli/context.hpp"

namespace quoin::cli {

void add_counters_commands(CLI::App& app, Context& context);

}  // namespace quoin::cli
