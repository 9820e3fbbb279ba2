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
    for (unsigned round = 0; round < 2000; ++round) {
        State256 start{};
        for (std::uint32_t& word : start) word = static_cast<std::uint32_t>(generator());
        std::array<Block, lane_count<Backend>> blocks;
        for (Block& block : blocks) {
            for (std::uint8_t& byte : block.bytes) byte = static_cast<std::uint8_t>(generator());
        }
        std::array<Block, lane_count<Backend>> expected = blocks;
        const std::size_t size = 16 + 8 * (round % 3);
        const std::size_t offset = 1 + generator() % (64 - size);
        const unsigned steps = round % 4;
        for (Block& block : expected) {
            for (unsigned step = 0; step < steps; ++step) {
                State256 state = start;
                compress<Portable>(state, block.bytes);
                for (std::size_t i = 0; i < size; ++i) {
                    block.bytes[offset + i] =
                        static_cast<std::uint8_t>(state[i / 4] >> (24 - 8 * (i % 4)));
                }
                ++block.bytes[offset - 1];
            }
        }
        step_lanes<Backend>(start, blocks, offset, size, steps);
        for (std::size_t i = 0; i < blocks.size(); ++i) {
            ASSERT_EQ(blocks[i].bytes, expected[i].bytes) << round << " " << i;
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
