// Must not compile: ctest looks for the compiler's error at the call.
#include "core/base/result.hpp"

quoin::core::Result<int> number();

void drop() { number(); }
