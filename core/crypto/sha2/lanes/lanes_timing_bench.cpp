// The chains of the ShaNi backend by statistics, see test_timing.hpp. A planted leak shows what a
// leak looks like.
#include <cstring>

#include "core/crypto/sha2/lanes/lanes.hpp"
#include "core/crypto/test_cpu.hpp"
#include "core/crypto/test_timing.hpp"

int main() {
    using namespace quoin::core;
    using Blocks = std::array<sha2::Block, sha2::lane_count<ShaNi>>;
    using Bytes = std::array<std::uint8_t, sizeof(Blocks)>;
    if (!test::has_sha()) {
        std::puts("NOT RUN: this processor has no SHA instructions");
        return 0;
    }
    volatile std::uint8_t sink = 0;
    const auto steps = [&](const Bytes& bytes, unsigned count) {
        Blocks blocks;
        std::memcpy(&blocks, bytes.data(), bytes.size());
        sha2::step_lanes<ShaNi>(sha2::initial_256, blocks, 23, 32, count);
        sink = blocks[0].bytes[23];
    };
    const double ours = test::t_of<Bytes>([&](const Bytes& bytes) { steps(bytes, 15); });
    const double leak =
        test::t_of<Bytes>([&](const Bytes& bytes) { steps(bytes, bytes[0] % 2 == 0 ? 15 : 16); });
    return test::report_timing("SHA-256, four chains of 15, SHA-NI", "blocks", ours, leak) ? 0 : 1;
}
