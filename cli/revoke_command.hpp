// `quoin device revoke`: one device, or a batch.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "cli/context.hpp"

namespace quoin::cli {

void add_revoke_command(CLI::App& noun, Context& context);

// The ids of a maker's batch list, or of a text with one a line; each once, in their order. Empty
// lines are skipped; anything else is input_invalid, naming the line.
Result<std::vector<std::string>> ids_of_batch(std::string_view text);

}  // namespace quoin::cli
