// quoin lms keygen | sign | verify | status
#pragma once

#include "cli/context.hpp"

namespace quoin::cli {

void add_lms_commands(CLI::App& app, Context& context);

}  // namespace quoin::cli
