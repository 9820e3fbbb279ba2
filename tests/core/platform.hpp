// What the runner needs of a machine: one file for each kind of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace quoin::tests::platform {

void write(std::string_view text);

// Instructions since the start, where the machine counts them; else 0.
std::uint64_t instructions();
// Runs a loop of 1,000,000 instructions, and tells whether they were counted. True where nothing
// is.
bool instructions_are_counted();

// Fills the unused stack with a pattern, and tells later how much of it was overwritten, in bytes
// below the stack pointer of paint_stack()'s caller. 0 where it is not measured.
void paint_stack();
std::size_t stack_used();

// 0 where there is no limit. A run that comes within 64 bytes of it has failed.
std::size_t stack_size();

}  // namespace quoin::tests::platform
