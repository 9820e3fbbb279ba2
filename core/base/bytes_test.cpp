#include "core/base/bytes.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

namespace quoin::core {
namespace {

using Buffer = std::vector<std::uint8_t>;

TEST(Reader, take__past_the_end__is_malformed_and_moves_nothing) {
    const Buffer input{1, 2, 3};
    Reader reader(input);
    const Result<Bytes> taken = reader.take(4);
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error(), Code::peer_malformed);
    EXPECT_EQ(reader.remaining(), 3U);
}

TEST(Reader, take__huge_size__is_malformed) {
    const Buffer input{1, 2, 3};
    EXPECT_EQ(Reader(input).take(SIZE_MAX).error(), Code::peer_malformed);
}

TEST(Reader, take_unsigned__known_bytes__is_big_endian) {
    const Buffer input{0x12, 0x34, 0x56, 0x78, 0x9A, 0xBC, 0xDE, 0xF0};
    EXPECT_EQ(*Reader(input).take_unsigned<1>(), 0x12U);
    EXPECT_EQ(*Reader(input).take_unsigned<3>(), 0x123456U);
    EXPECT_EQ(*Reader(input).take_unsigned<8>(), 0x123456789ABCDEF0U);
}

TEST(Reader, take_unsigned__too_short__is_malformed_and_moves_nothing) {
    const Buffer input{1, 2, 3};
    Reader reader(input);
    EXPECT_EQ(reader.take_unsigned<4>().error(), Code::peer_malformed);
    EXPECT_EQ(reader.remaining(), 3U);
}

TEST(Reader, finish__bytes_left_over__is_malformed) {
    const Buffer input{1, 2};
    Reader reader(input);
    ASSERT_TRUE(reader.take(1));
    EXPECT_EQ(reader.finish().error(), Code::peer_malformed);
    ASSERT_TRUE(reader.take(1));
    EXPECT_TRUE(reader.finish());
}

TEST(Reader, take__nothing_of_nothing__is_empty) {
    Reader reader({});
    ASSERT_TRUE(reader.take(0));
    EXPECT_TRUE(reader.finish());
    EXPECT_FALSE(reader.take(1));
}

TEST(Writer, put__does_not_fit__is_full_and_writes_nothing) {
    std::array<std::uint8_t, 2> output{0xEE, 0xEE};
    Writer writer(output);
    EXPECT_EQ(writer.put(bytes_of("abc")).error(), Code::resource_full);
    EXPECT_EQ(writer.put_unsigned<4>(1).error(), Code::resource_full);
    EXPECT_TRUE(writer.written().empty());
    EXPECT_EQ(output, (std::array<std::uint8_t, 2>{0xEE, 0xEE}));
}

TEST(Writer, put_unsigned__known_number__is_big_endian) {
    std::array<std::uint8_t, 3> output{};
    Writer writer(output);
    ASSERT_TRUE(writer.put_unsigned<3>(0x123456));
    EXPECT_EQ(output, (std::array<std::uint8_t, 3>{0x12, 0x34, 0x56}));
}

TEST(Writer, finish__buffer_not_full__is_an_internal_error) {
    std::array<std::uint8_t, 2> output{};
    Writer writer(output);
    ASSERT_TRUE(writer.put_unsigned<1>(1));
    EXPECT_EQ(writer.finish().error(), Code::internal);
    ASSERT_TRUE(writer.put_unsigned<1>(2));
    EXPECT_TRUE(writer.finish());
}

TEST(Text, text_of__bytes_of_a_text__is_that_text) {
    EXPECT_EQ(text_of(bytes_of("quoin")), "quoin");
}

RC_GTEST_PROP(Bytes, write_then_read__any_pieces__come_back, (const std::vector<Buffer>& pieces)) {
    Buffer output;
    for (const Buffer& piece : pieces) output.resize(output.size() + 4 + piece.size());
    Writer writer(output);
    for (const Buffer& piece : pieces) {
        RC_ASSERT(writer.put_unsigned<4>(piece.size()).has_value());
        RC_ASSERT(writer.put(piece).has_value());
    }
    RC_ASSERT(writer.finish().has_value());

    Reader reader(output);
    for (const Buffer& piece : pieces) {
        const Result<std::uint64_t> size = reader.take_unsigned<4>();
        RC_ASSERT(size && *size == piece.size());
        const Result<Bytes> taken = reader.take(piece.size());
        RC_ASSERT(taken && std::ranges::equal(*taken, piece));
    }
    RC_ASSERT(reader.finish().has_value());
}

RC_GTEST_PROP(Bytes, take__any_size_of_any_input__never_gives_more_than_there_is,
              (const Buffer& input, std::size_t size)) {
    Reader reader(input);
    const Result<Bytes> taken = reader.take(size);
    RC_ASSERT(taken.has_value() == (size <= input.size()));
    RC_ASSERT(reader.remaining() == (taken ? input.size() - size : input.size()));
}

RC_GTEST_PROP(Bytes, put_unsigned__any_number__comes_back, (std::uint64_t number)) {
    std::array<std::uint8_t, 8> output{};
    RC_ASSERT(Writer(output).put_unsigned<8>(number).has_value());
    RC_ASSERT(*Reader(output).take_unsigned<8>() == number);
}

}  // namespace
}  // namespace quoin::core
