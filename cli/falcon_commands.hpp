// quoin falcon keygen | sign | verify
#pragma once

#include "cli/context.hpp"

namespace quoin::cli {

void add_falcon_commands(CLI::App& app, Context& context);

}  // namespace quoin::cli
