#include "host/crypto/processor.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace quoin::crypto {
namespace {

#if defined(__x86_64__)
// __builtin_cpu_supports also asks whether the system saves the wide registers; it does not know
// the SHA extensions, which use the narrow ones.
Processor ask() {
    unsigned a = 0, b = 0, c = 0, d = 0;
    Processor found;
    found.avx2 = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("bmi2") != 0;
    found.avx512 = found.avx2 && __builtin_cpu_supports("avx512f") != 0 &&
                   __builtin_cpu_supports("avx512vl") != 0 &&
                   __builtin_cpu_supports("avx512bw") != 0 &&
                   __builtin_cpu_supports("avx512dq") != 0;
    const bool narrow = __builtin_cpu_supports("sse4.1") != 0;
    found.sha_ni = narrow && __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & bit_SHA) != 0;
    found.aes_ni =
        narrow && __builtin_cpu_supports("aes") != 0 && __builtin_cpu_supports("pclmul") != 0;
    found.vaes = found.aes_ni && found.avx512 && __builtin_cpu_supports("vaes") != 0 &&
                 __builtin_cpu_supports("vpclmulqdq") != 0;
    return found;
}
#else
Processor ask() { return {}; }
#endif

}  // namespace

const Processor& processor() {
    static const Processor found = ask();
    return found;
}

}  // namespace quoin::crypto
