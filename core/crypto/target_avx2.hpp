// Include LAST in a .cpp of the Avx2 backend, and target_pop.hpp at its end: what stands between is
// compiled for AVX2, the headers above are not.
//
// Never -mavx2 for a whole file: inline functions of shared headers would be emitted with AVX2, and
// the linker may pick those for programs that run elsewhere. For the same reason everything between
// is keyed on the tag Avx2 or stands in an unnamed namespace.
#pragma once

// tidy: allow(freestanding) because the intrinsics need no operating system
#include <immintrin.h>

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,bmi,bmi2"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,bmi,bmi2")
#endif
