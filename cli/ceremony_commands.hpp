// quoin pki init, profiles, root, issuing: the acts that make a plant's PKI.
#pragma once

#include "cli/context.hpp"

namespace quoin::cli {

void add_ceremony_commands(CLI::App* pki, Context& context);

}  // namespace quoin::cli
