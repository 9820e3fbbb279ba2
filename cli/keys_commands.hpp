// quoin keys: create, list, generate, show, seal, unseal, zeroize a key store, whatever it is.
#pragma once

#include "cli/context.hpp"

namespace quoin::cli {

void add_keys_commands(CLI::App& app, Context& context);

}  // namespace quoin::cli
