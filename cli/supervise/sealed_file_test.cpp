#include "cli/supervise/sealed_file.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
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

std::string content_of(const Descriptor& file) {
    const Descriptor again(open(descriptor_path(file).c_str(), O_RDONLY | O_CLOEXEC));
    std::string text(4096, '\0');
    const ssize_t size = read(again.number(), text.data(), text.size());
    text.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
    text.erase(text.find_last_not_of(" \n") + 1);
    return text;
}

TEST(rewritable_file, write__again__only_by_its_maker_and_whole) {
    auto file = RewritableFile::make("test", 300);
    ASSERT_TRUE(file.has_value());
    EXPECT_EQ(content_of(file->descriptor()), "");
    ASSERT_TRUE(file->write("a longer secret"));
    EXPECT_EQ(content_of(file->descriptor()), "a longer secret");
    ASSERT_TRUE(file->write("short"));
    EXPECT_EQ(content_of(file->descriptor()), "short") << "nothing of the first one";
    EXPECT_FALSE(file->write(std::string(301, 'x')));
    EXPECT_EQ(content_of(file->descriptor()), "short");
    ASSERT_TRUE(file->write(std::string(300, 'y')));
    EXPECT_EQ(content_of(file->descriptor()), std::string(300, 'y'));
    const int number = file->descriptor().number();
    EXPECT_LT(pwrite(number, "x", 1, 0), 0);
    EXPECT_NE(ftruncate(number, 0), 0);
    EXPECT_EQ(mmap(nullptr, 300, PROT_WRITE, MAP_SHARED, number, 0), MAP_FAILED);
    EXPECT_LT(open(descriptor_path(file->descriptor()).c_str(), O_WRONLY | O_TRUNC), 0);
}

}  // namespace
}  // namespace quoin::cli
