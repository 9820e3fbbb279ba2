// For tests: whether this processor runs a backend. Products ask in host/crypto.
#pragma once

#include <type_traits>

#include "core/crypto/backend.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace quoin::core::test {

#if defined(__x86_64__)
inline bool has_sha() {
    unsigned a = 0, b = 0, c = 0, d = 0;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & bit_SHA) != 0;
}
inline bool has_aes() {
    unsigned a = 0, b = 0, c = 0, d = 0;
    constexpr unsigned needed = bit_AES | bit_PCLMUL | bit_SSE4_1;
    return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & needed) == needed;
}
inline bool has_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2"); }
inline bool has_avx512() {
    return has_avx2() && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq");
}
inline bool has_vaes() {
    return has_aes() && has_avx512() && __builtin_cpu_supports("vaes") &&
           __builtin_cpu_supports("vpclmulqdq");
}
#else
inline bool has_vaes() { return false; }
inline bool has_avx2() { return false; }
inline bool has_avx512() { return false; }
inline bool has_sha() { return false; }
inline bool has_aes() { return false; }
#endif

// Whether this target has the backend at all.
template <class Backend>
inline constexpr bool is_built = std::is_same_v<Backend, Portable> || avx2_is_built;

template <class Backend>
bool runs_here() {
    if constexpr (std::is_same_v<Backend, ShaNi>) return has_sha();
    if constexpr (std::is_same_v<Backend, AesNi>) return has_aes();
    if constexpr (std::is_same_v<Backend, Vaes>) return has_vaes();
    if constexpr (std::is_same_v<Backend, Avx2>) return has_avx2();
    if constexpr (std::is_same_v<Backend, Avx512>) return has_avx512();
    return true;
}

}  // namespace quoin::core::test
