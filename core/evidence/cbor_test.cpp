#include "core/evidence/cbor.hpp"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace quoin::evidence {
namespace {

using Vector = std::vector<std::uint8_t>;

Vector written(auto&& put) {
    std::array<std::uint8_t, 64> buffer{};
    CborWriter writer(buffer);
    EXPECT_TRUE(put(writer).has_value());
    return {writer.written().begin(), writer.written().end()};
}

// Source: RFC 8949, appendix A.
TEST(cbor, writer__rfc_8949_examples__same_bytes) {
    const auto number = [](std::int64_t value) {
        return written([value](CborWriter& w) { return w.put_integer(value); });
    };
    EXPECT_EQ(number(0), (Vector{0x00}));
    EXPECT_EQ(number(23), (Vector{0x17}));
    EXPECT_EQ(number(24), (Vector{0x18, 0x18}));
    EXPECT_EQ(number(100), (Vector{0x18, 0x64}));
    EXPECT_EQ(number(1000), (Vector{0x19, 0x03, 0xe8}));
    EXPECT_EQ(number(1000000), (Vector{0x1a, 0x00, 0x0f, 0x42, 0x40}));
    EXPECT_EQ(number(1000000000000),
              (Vector{0x1b, 0x00, 0x00, 0x00, 0xe8, 0xd4, 0xa5, 0x10, 0x00}));
    EXPECT_EQ(number(-1), (Vector{0x20}));
    EXPECT_EQ(number(-100), (Vector{0x38, 0x63}));
    EXPECT_EQ(number(-1000), (Vector{0x39, 0x03, 0xe7}));
    EXPECT_EQ(written([](CborWriter& w) { return w.put_text("IETF"); }),
              (Vector{0x64, 0x49, 0x45, 0x54, 0x46}));
    const Vector bytes{1, 2, 3, 4};
    EXPECT_EQ(written([&](CborWriter& w) { return w.put_bytes(bytes); }),
              (Vector{0x44, 0x01, 0x02, 0x03, 0x04}));
}

TEST(cbor, writer__buffer_too_small__resource_full) {
    std::array<std::uint8_t, 3> buffer{};
    CborWriter writer(buffer);
    EXPECT_EQ(writer.put_text("IETF").error(), Code::resource_full);
}

TEST(cbor, reader__every_length_of_argument__round_trip) {
    for (const std::uint64_t value : {0ULL, 23ULL, 24ULL, 255ULL, 256ULL, 65535ULL, 65536ULL,
                                      4294967295ULL, 4294967296ULL, 18446744073709551615ULL}) {
        const Vector bytes = written([value](CborWriter& w) { return w.put_unsigned(value); });
        CborReader reader(bytes);
        EXPECT_EQ(reader.take_unsigned(), value);
        EXPECT_TRUE(reader.finish());
    }
}

TEST(cbor, reader__argument_longer_than_needed__refused) {
    for (const Vector& bytes :
         {Vector{0x18, 0x17}, Vector{0x19, 0x00, 0xff}, Vector{0x1a, 0x00, 0x00, 0xff, 0xff},
          Vector{0x1b, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff}}) {
        EXPECT_EQ(CborReader(bytes).take_unsigned().error(), Code::peer_malformed);
    }
}

TEST(cbor, reader__reserved_or_indefinite__refused) {
    for (const unsigned additional : {28U, 29U, 30U, 31U}) {
        const Vector bytes{static_cast<std::uint8_t>(0x40 | additional), 0x00, 0xff};
        EXPECT_EQ(CborReader(bytes).take_bytes(10).error(), Code::peer_malformed);
    }
}

TEST(cbor, reader__other_type__refused) {
    const Vector text{0x61, 'a'};
    EXPECT_EQ(CborReader(text).take_bytes(10).error(), Code::peer_malformed);
    EXPECT_EQ(CborReader(text).take_unsigned().error(), Code::peer_malformed);
}

TEST(cbor, reader__string_past_the_end__refused) {
    const Vector bytes{0x44, 1, 2, 3};
    EXPECT_EQ(CborReader(bytes).take_bytes(10).error(), Code::peer_malformed);
}

TEST(cbor, reader__string_over_the_limit__oversize_before_anything_is_read) {
    const Vector bytes{0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    EXPECT_EQ(CborReader(bytes).take_bytes(10).error(), Code::peer_oversize);
}

}  // namespace
}  // namespace quoin::evidence
