// Where a standard lets something made of secrets become public, the code says so with
// ct::declassify. It does nothing in a product; the constant-time checks build the same sources
// with QUOIN_DECLASSIFY naming declassify_fixture.hpp, where it tells valgrind.
#pragma once

#include <cstddef>

#ifdef QUOIN_DECLASSIFY
#include QUOIN_DECLASSIFY
#else
namespace quoin::core::ct {
inline void declassify(const void* /*data*/, std::size_t /*size*/) {}
}  // namespace quoin::core::ct
#endif

namespace quoin::core::ct {

// The value, public from here on.
template <class T>
T declassified(T value) {
    declassify(&value, sizeof value);
    return value;
}

}  // namespace quoin::core::ct
