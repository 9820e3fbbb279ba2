// Leaves the terminal: the command returns when the plant is ready, and a process of its own goes
// on.
#pragma once

#include <filesystem>
#include <functional>

#include "host/error.hpp"

namespace quoin::cli {

// Called by the child when it is ready: from then on the command has returned, and the child's
// output goes to `log`.
using Detach = std::function<Result<void>(const std::filesystem::path& log)>;

// Forks. In the child, runs `work` and ends the process with its result; in the parent, returns
// when `work` detached, or with the child's exit code when it ended before. Call before any thread
// is made.
Result<int> run_in_background(const std::function<int(const Detach&)>& work);

}  // namespace quoin::cli
