// Tested samples for this process. The first call runs the start-up test: SP 800-90B, 4.3.
// Threads: any. Errors: false; the module is stopped then (../selftest/module.hpp).
#pragma once

#include <cstdint>

#include "core/base/bytes.hpp"

namespace quoin::crypto::entropy {

inline constexpr std::size_t start_up_samples = 1024;
inline constexpr unsigned bits_of_a_sample = 4;  // that are claimed

bool draw(MutableBytes out);
// Since the start, with those of the start-up test.
std::uint64_t samples_tested();

}  // namespace quoin::crypto::entropy
