// quoin audit verify | export: the audit log, offline, from its file.
#pragma once

#include "cli/context.hpp"

namespace quoin::cli {

void add_audit_commands(CLI::App& app, Context& context);

}  // namespace quoin::cli
