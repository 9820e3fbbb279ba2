// Approved mode: nothing but the algorithms of one list (host/crypto/approved.hpp), and no option
// that begins with danger_. docs/decisions/0017.
//
// On for the whole process, and for good: by [crypto] approved_mode of quoin.toml and agent.toml,
// by QUOIN_FIPS_MODE=1 in the environment, or by the build option QUOIN_APPROVED_MODE. A value of
// the variable other than "0" and nothing is "on". Threads: any.
#pragma once

#include <span>

#include "host/error.hpp"

namespace quoin {

bool approved_mode();
// Programs that are started from here are in it, too. Before threads are.
void enter_approved_mode();

// Refuses words of a command line that begin with --danger-, in approved mode: config_invalid. But
// for --danger-forever: to destroy keys is what the standard wants to be possible.
Result<void> check_words(std::span<char* const> words);

}  // namespace quoin
