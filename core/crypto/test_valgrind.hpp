// For the constant-time checks: values that valgrind takes for secret, and the end of a check.
#pragma once

#include <valgrind/memcheck.h>

#include <cstdio>
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

// The result is made public, and used, so that nothing is optimised away.
inline void publish(MutableBytes result) {
    VALGRIND_MAKE_MEM_DEFINED(result.data(), result.size());
    unsigned sum = 0;
    for (const std::uint8_t byte : result) sum += byte;
    // tidy: allow(banned-call) because it is how a check program uses its result
    std::fprintf(stderr, "%u\n", sum);
}

// For main: false, with a message, where valgrind does not run us.
inline bool under_valgrind() {
    if (RUNNING_ON_VALGRIND != 0) return true;
    // tidy: allow(banned-call) because a check program says why it does nothing
    std::fputs("run me under valgrind\n", stderr);
    return false;
}

}  // namespace quoin::core::test
