// Include LAST in a .cpp of the Vaes backend, and target_pop.hpp at its end: what stands between
// is compiled for VAES and VPCLMULQDQ on AVX-512, the headers above are not. See target_avx2.hpp.
#pragma once

// tidy: allow(freestanding) because the intrinsics need no operating system
#include <immintrin.h>

#if defined(__clang__)
#pragma clang attribute push(                                                               \
    __attribute__((target("aes,pclmul,sse4.1,vaes,vpclmulqdq,avx512f,avx512vl,avx512bw"))), \
    apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("aes,pclmul,sse4.1,vaes,vpclmulqdq,avx512f,avx512vl,avx512bw")
#endif
