// For the constant-time checks: values that valgrind takes for secret, and the end of a check.
#pragma once

#include <valgrind/memcheck.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "core/base/bytes.hpp"

namespace quoin::core::test {

// `Bytes` of the type Array that nothing may branch or index by.
template <class Array>
Array secret(std::uint8_t fill) {
    Array bytes{};
    bytes.fill(fill);
    VALGRIND_MAKE_MEM_UNDEFINED(bytes.data(), bytes.size());
    return bytes;
}

// Nothing may branch or index by these from now on.
inline void make_secret(MutableBytes bytes) {
    VALGRIND_MAKE_MEM_UNDEFINED(bytes.data(), bytes.size());
}

// The result is made public, and used, so that nothing is optimised away.
inline void publish(MutableBytes result) {
    VALGRIND_MAKE_MEM_DEFINED(result.data(), result.size());
    unsigned sum = 0;
    for (const std::uint8_t byte : result) sum += byte;
    // tidy: allow(banned-call) because it is how a check program uses its result
    std::fprintf(stderr, "%u\n", sum);
}

// For operations that must work: a refusal has looked at less.
inline void must_work(bool worked) {
    if (worked) return;
    // tidy: allow(banned-call) because a check program says why it fails
    std::fputs("refused what it must take\n", stderr);
    std::exit(1);
}

// All of main: runs the check that the argument names. run(name) is false for a name that is none:
// a check that was renamed must not pass.
template <class Run>
int run_check(int argument_count, char** arguments, Run run) {
    if (RUNNING_ON_VALGRIND == 0) {
        // tidy: allow(banned-call) because a check program says why it does nothing
        std::fputs("run me under valgrind\n", stderr);
        return 2;
    }
    if (argument_count == 2 && run(std::string_view(arguments[1]))) return 0;
    // tidy: allow(banned-call) because a check program says why it fails
    std::fputs("unknown check\n", stderr);
    return 2;
}

}  // namespace quoin::core::test
