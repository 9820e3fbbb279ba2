// `quoin pki revoke-service` and `quoin pki revoke-operator`.
#pragma once

#include "cli/context.hpp"

namespace quoin::cli {

void add_revocation_commands(CLI::App* pki, Context& context);

}  // namespace quoin::cli
