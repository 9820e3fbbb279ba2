// quoin crypto selftest | speed
#pragma once

#include "cli/context.hpp"

namespace quoin::cli {

void add_crypto_commands(CLI::App& app, Context& context);

}  // namespace quoin::cli
