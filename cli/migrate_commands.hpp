// `quoin pki migrate`: begin, status, finish, abort.
#pragma once

#include "cli/context.hpp"

namespace quoin::cli {

void add_migrate_commands(CLI::App* pki, Context& context);

}  // namespace quoin::cli
