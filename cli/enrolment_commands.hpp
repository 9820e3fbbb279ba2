#pragma once

#include <CLI/CLI.hpp>

#include "cli/context.hpp"

namespace quoin::cli {

// quoin enrolment list, approve, refuse.
void add_enrolment_commands(CLI::App& app, Context& context);

}  // namespace quoin::cli
