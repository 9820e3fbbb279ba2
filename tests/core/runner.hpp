// Runs an image's operations and prints one line of JSON for each, and one at the end.
#pragma once

namespace quoin::tests {

// How many operations failed.
int run_all();

}  // namespace quoin::tests
