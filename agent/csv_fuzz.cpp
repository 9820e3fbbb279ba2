#include <cmath>
#include <cstdlib>

#include "agent/csv.hpp"
#include "core/base/bytes.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto row = quoin::agent::parse_csv_line(quoin::text_of({data, size}));
    if (row && (!std::isfinite(row->value) || size > quoin::agent::max_csv_line_bytes))
        std::abort();
    return 0;
}
