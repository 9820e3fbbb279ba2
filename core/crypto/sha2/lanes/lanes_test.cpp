#include <gtest/gtest.h>

#include <random>

#include "core/crypto/sha2/lanes/lanes.hpp"
#include "core/crypto/test_cpu.hpp"

namespace quoin::core::sha2 {
namespace {

template <class Backend>
void compare_with_one_at_a_time() {
    if (!test::runs_here<Backend>()) GTEST_SKIP() << "NOT RUN: this processor cannot";
    const std::uint64_t seed = std::random_device{}();
    std::cout << "seed " << seed << '\n';
    std::mt19937_64 generator(seed);
    for (int round = 0; round < 2000; ++round) {
        State256 start{};
        for (std::uint32_t& word : start) word = static_cast<std::uint32_t>(generator());
        std::array<Block, lane_count<Backend>> blocks;
        for (Block& block : blocks) {
            for (std::uint8_t& byte : block.bytes) byte = static_cast<std::uint8_t>(generator());
        }
        std::array<State256, lane_count<Backend>> results;
        compress_lanes<Backend>(start, blocks, results);
        for (std::size_t i = 0; i < blocks.size(); ++i) {
            State256 expected = start;
            compress<Portable>(expected, blocks[i].bytes);
            ASSERT_EQ(results[i], expected) << round << " " << i;
        }
    }
}

TEST(lanes, portable__random_blocks__as_one_at_a_time) { compare_with_one_at_a_time<Portable>(); }
#if defined(__x86_64__)
TEST(lanes, sha_ni__random_blocks__as_one_at_a_time) { compare_with_one_at_a_time<ShaNi>(); }
TEST(lanes, avx2__random_blocks__as_one_at_a_time) { compare_with_one_at_a_time<Avx2>(); }
#endif

}  // namespace
}  // namespace quoin::core::sha2
