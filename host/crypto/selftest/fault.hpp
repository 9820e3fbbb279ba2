// Where a test makes a self-test fail. Products link no_fault.cpp, which breaks nothing; a test
// program defines this function itself, and the linker leaves no_fault.cpp out (tests/tidy looks).
#pragma once

#include <string_view>

namespace quoin::crypto::selftest {

// Whether what `test` computes is to be made wrong.
bool is_broken(std::string_view test);

}  // namespace quoin::crypto::selftest
