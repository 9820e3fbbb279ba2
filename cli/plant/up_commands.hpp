#pragma once

#include "cli/context.hpp"

namespace quoin::cli {

// `quoin up` and `quoin down`.
void add_up_commands(CLI::App& app, Context& context);

}  // namespace quoin::cli
