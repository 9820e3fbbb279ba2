#include "host/percent.hpp"

#include <gtest/gtest.h>

namespace quoin {
namespace {

TEST(percent_encode, each_byte__kept_or_escaped) {
    EXPECT_EQ(percent_encode("aZ09-._~"), "aZ09-._~");
    EXPECT_EQ(percent_encode("/run/a b;c%\n\xFF"), "%2Frun%2Fa%20b%3Bc%25%0A%FF");
    EXPECT_EQ(percent_encode("/run/a b", "/"), "/run/a%20b");
    EXPECT_EQ(percent_encode(std::string_view("\0", 1)), "%00");
}

TEST(percent_decode, every_byte__round_trip) {
    for (int byte = 0; byte < 256; ++byte) {
        const std::string text(3, static_cast<char>(byte));
        EXPECT_EQ(percent_decode(percent_encode(text)), text) << byte;
    }
}

TEST(percent_decode, lone_or_wrong_escape__none) {
    for (const char* text : {"%", "a%2", "%zz", "%2g", "%-1", "%+1", "% 1", "%%41", "%0x"}) {
        EXPECT_EQ(percent_decode(text), std::nullopt) << text;
    }
}

}  // namespace
}  // namespace quoin
