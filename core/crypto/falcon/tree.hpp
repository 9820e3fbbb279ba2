// The size of a Falcon tree (specification, section 3.8.3) in memory: ff_sampling.hpp has its
// order.
#pragma once

#include <cstddef>

namespace quoin::core::falcon {

constexpr std::size_t tree_size(std::size_t n) { return n == 1 ? 1 : n + 2 * tree_size(n / 2); }

}  // namespace quoin::core::falcon
