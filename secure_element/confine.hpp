// What the process gives up before it serves anybody.
//
// Errors say what the system refused and how to allow it. All of it lasts until the process ends.
#pragma once

#include <filesystem>
#include <string>

#include "host/error.hpp"

namespace quoin::secure_element {

// No core dump, no debugger or reader of its memory but root, no new privileges by exec.
Result<void> forbid_inspection();

// From root to this user and its group for good, with no other groups, and no capability but to
// lock memory. `home` becomes its own.
Result<void> become(const std::string& user, const std::filesystem::path& home);

// Every page stays in memory, never on a swap disk; also those to come. Raises the limit if it may.
Result<void> lock_memory();

// From here on the process can answer on the sockets it has, and write its store; all else (new
// sockets, reading files, programs, threads, executable memory) ends it. For all threads, which
// must be there.
Result<void> filter_system_calls();

}  // namespace quoin::secure_element
