// A memory file that nobody can change any more: for a key that may touch no disk (I11).
#pragma once

#include <string_view>

#include "host/descriptor.hpp"
#include "host/error.hpp"

namespace quoin::cli {

// `name` is for /proc listings only. The file is sealed against writing, growing and shrinking.
Result<Descriptor> sealed_file(const char* name, std::string_view content);

}  // namespace quoin::cli
