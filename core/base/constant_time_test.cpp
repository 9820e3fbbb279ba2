#include "core/base/constant_time.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <vector>

namespace quoin::core {
namespace {

using Buffer = std::vector<std::uint8_t>;

TEST(ConstantTime, equal__same_bytes__is_true) {
    EXPECT_TRUE(ct::equal(bytes_of("secret"), bytes_of("secret")));
    EXPECT_TRUE(ct::equal({}, {}));
}

TEST(ConstantTime, equal__other_length__is_false) {
    EXPECT_FALSE(ct::equal(bytes_of("secret"), bytes_of("secre")));
    EXPECT_FALSE(ct::equal(bytes_of("secret"), {}));
}

TEST(ConstantTime, equal__any_single_bit_differs__is_false) {
    const Buffer original(33, 0xA5);
    for (std::size_t bit = 0; bit < original.size() * 8; ++bit) {
        Buffer changed = original;
        changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ (1U << (bit % 8)));
        EXPECT_FALSE(ct::equal(original, changed)) << "bit " << bit;
    }
}

TEST(ConstantTime, wipe__a_buffer__is_all_zeros) {
    Buffer buffer(65, 0xFF);
    ct::wipe(buffer);
    EXPECT_EQ(buffer, Buffer(65, 0));
}

RC_GTEST_PROP(ConstantTime, equal__any_two__agrees_with_std_equal,
              (const Buffer& a, const Buffer& b)) {
    RC_ASSERT(ct::equal(a, b) == std::ranges::equal(a, b));
}

}  // namespace
}  // namespace quoin::core
