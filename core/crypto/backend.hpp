// The builds of one algorithm, as tag types: the last template parameter of operations that differ.
//
// core never asks the processor: the caller picks (host/crypto asks CPUID once). A backend is
// instantiated in its own .cpp; naming one that this target does not build fails at link time.
#pragma once

namespace quoin::core {

// Plain C++, 32 and 64 bit.
struct Portable {};

// x86-64 with AVX2, BMI1 and BMI2 (every processor with AVX2 has all three). Built where
// avx2_is_built.
struct Avx2 {};

// x86-64 with AVX2 and AVX-512 F, VL, BW, DQ: Avx2, but for what pays: four Keccaks at a time take
// half the time, for its rotations and three-way logic. Built where Avx2 is.
struct Avx512 {};

// x86-64 with the SHA extensions and SSE 4.1: SHA-256 only.
struct ShaNi {};

// x86-64 with AES-NI, PCLMULQDQ and SSE 4.1: AES-GCM only.
struct AesNi {};

// x86-64 with what AesNi needs, VAES, VPCLMULQDQ and AVX-512 F, VL: AES-GCM only.
struct Vaes {};

#if defined(__x86_64__)
inline constexpr bool avx2_is_built = true;
#else
inline constexpr bool avx2_is_built = false;
#endif

}  // namespace quoin::core
