#include "cli/supervise/sealed_file.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>

#include "cli/supervise/programs.hpp"

namespace quoin::cli {
namespace {

TEST(sealed_file, content__readable_by_path_and_unchangeable) {
    const auto file = sealed_file("test", "secret");
    ASSERT_TRUE(file.has_value());
    const Descriptor again(open(descriptor_path(*file).c_str(), O_RDONLY | O_CLOEXEC));
    std::array<char, 16> buffer{};
    ASSERT_EQ(read(again.number(), buffer.data(), buffer.size()), 6);
    EXPECT_STREQ(buffer.data(), "secret");
    EXPECT_LT(pwrite(file->number(), "x", 1, 0), 0);
    EXPECT_NE(ftruncate(file->number(), 0), 0);
}

}  // namespace
}  // namespace quoin::cli
