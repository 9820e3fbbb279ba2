// Ends the region that target_avx2.hpp began.
#pragma once

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
