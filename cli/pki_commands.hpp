// `quoin pki …`: the plant's own CA, offline. `quoin birth`: the manufacturer's part.
#pragma once

#include "cli/context.hpp"

namespace quoin::cli {

void add_pki_commands(CLI::App& app, Context& context);

}  // namespace quoin::cli
