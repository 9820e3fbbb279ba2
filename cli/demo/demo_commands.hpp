#pragma once

#include "cli/context.hpp"

namespace quoin::cli {

void add_demo_commands(CLI::App& app, Context& context);

}  // namespace quoin::cli
