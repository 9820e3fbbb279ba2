// ct::declassify of the builds that valgrind checks: see declassify.hpp.
#pragma once

#include <valgrind/memcheck.h>

#include <cstddef>

namespace quoin::core::ct {

inline void declassify(const void* data, std::size_t size) {
    VALGRIND_MAKE_MEM_DEFINED(data, size);
}

}  // namespace quoin::core::ct
