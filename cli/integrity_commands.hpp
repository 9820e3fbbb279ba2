#pragma once

#include "cli/context.hpp"

namespace quoin::cli {

void add_integrity_commands(CLI::App& app, Context& context);

}  // namespace quoin::cli
