// Where samples come from. Products link samples.cpp (getrandom); a test program that defines this
// function itself has its own, and the linker leaves samples.cpp out (tests/tidy looks).
#pragma once

#include "core/base/bytes.hpp"

namespace quoin::crypto::entropy {

// False: the system gives none. Blocks until it has been seeded once. Threads: any.
bool read_samples(MutableBytes out);

}  // namespace quoin::crypto::entropy
