// Where an algorithm makes something public that came from a secret: a public seed, the number of
// rejections, a finished signature. It documents the place; in the *_checked libraries of
// quoin_core_library, which the constant-time checks link, it tells valgrind so.
#pragma once

#include <type_traits>

#include "core/base/bytes.hpp"

#if defined(QUOIN_CONSTANT_TIME_CHECK)
// tidy: allow(freestanding) because only the constant-time checks have it, and they run on hosts
#include <valgrind/memcheck.h>
#endif

namespace quoin::core::ct {

#if defined(QUOIN_CONSTANT_TIME_CHECK)
inline void declassify(Bytes bytes) { VALGRIND_MAKE_MEM_DEFINED(bytes.data(), bytes.size()); }
#else
inline void declassify(Bytes) {}
#endif

template <class T>
    requires std::is_trivially_copyable_v<T> && (!std::is_convertible_v<T, Bytes>)
void declassify(const T& object) {
    declassify(Bytes{reinterpret_cast<const std::uint8_t*>(&object), sizeof object});
}

// The value, public from here on.
template <class T>
T declassified(T value) {
    declassify(value);
    return value;
}

}  // namespace quoin::core::ct
