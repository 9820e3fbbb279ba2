// What a hash leaves of its message on the stack.
#include <gtest/gtest.h>

#include "core/crypto/sha2/sha2.hpp"
#include "core/crypto/sha2/test_schedule.hpp"
#include "core/crypto/test_cpu.hpp"
#include "core/crypto/test_stack.hpp"

namespace quoin::core::sha2 {
namespace {

// A message of one block with its padding.
template <std::size_t Size>
std::array<std::uint8_t, Size> padded(Bytes message) {
    std::array<std::uint8_t, Size> block{};
    std::ranges::copy(message, block.begin());
    block[message.size()] = 0x80;
    block[Size - 2] = static_cast<std::uint8_t>(message.size() >> 5U);
    block[Size - 1] = static_cast<std::uint8_t>(message.size() << 3U);
    return block;
}

template <class Hash, class Functions, std::size_t Rounds>
void expect_nothing_left() {
    const auto message = test::pattern<32>(0x31);
    std::array<std::uint8_t, Hash::digest_size> digest{};
    Hash hash;
    test::DeadStack stack;
    stack.run([&] {
        hash.update(message);
        hash.finish(digest);
        hash.wipe();
    });
    const auto w = schedule_of<Functions, Rounds>(padded<Hash::block_size>(message));
    EXPECT_EQ(stack.places_of(message), 0U);
    EXPECT_EQ(stack.places_of(digest), 0U);
    EXPECT_EQ(stack.places_of(test::bytes_in(w)), 0U) << "schedule";
}

TEST(sha2_wipe, sha256__one_block__nothing_of_the_message_is_left) {
    expect_nothing_left<Sha256, Functions256, 64>();
}

TEST(sha2_wipe, sha512__one_block__nothing_of_the_message_is_left) {
    expect_nothing_left<Sha512, Functions512, 80>();
}

#if defined(__x86_64__)
TEST(sha2_wipe, sha256_sha_ni__one_block__nothing_of_the_message_is_left) {
    if (!test::has_sha()) GTEST_SKIP() << "NOT RUN: this processor has no SHA instructions";
    expect_nothing_left<Hash<Set256, ShaNi>, Functions256, 64>();
}
#endif

}  // namespace
}  // namespace quoin::core::sha2
