#include "host/counters/content.hpp"

#include <gtest/gtest.h>

namespace quoin::counters {
namespace {

Content example() {
    Content content;
    content.name = "quoind";
    content.anchor = "tpm:tcti=device:/dev/tpmrm0;dir=/var/lib/quoin/tpm";
    content.generation = 12345;
    content.time = {1'700'000'000'000, "boot", 77};
    content.entries["audit"] = {.kind = Kind::floor, .value = 9};
    content.digests["audit"] = {0xab, 0x01};
    content.entries["index"] = {.kind = Kind::scarce, .value = 3, .limit = 32};
    content.entries["nonces"] = {.kind = Kind::sequence, .value = 64};
    content.entries["policy"] = {.kind = Kind::floor, .value = UINT64_MAX};
    return content;
}

TEST(content, decode__what_encode_wrote__the_same) {
    const std::string text = encode(example());
    const auto read = decode(text);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(encode(*read), text);
    EXPECT_EQ(read->entries.size(), 4U);
    EXPECT_EQ(read->entries.at("index").limit, 32U);
    EXPECT_EQ(read->entries.at("nonces").next, 64U) << "what was reserved counts as given";
    EXPECT_EQ(read->digests.at("audit"), (std::vector<std::uint8_t>{0xab, 0x01}));
    EXPECT_TRUE(text.starts_with("quoin-counters 1\nstore quoind\nanchor tpm:"));
}

TEST(content, decode__any_byte_changed_or_missing_or_more__integrity_mismatch) {
    const std::string good = encode(example());
    for (std::size_t i = 0; i < good.size(); ++i) {
        for (const char flip : {'\1', '\2', '\20', '\x80'}) {
            std::string bad = good;
            bad[i] = static_cast<char>(bad[i] ^ flip);
            ASSERT_FALSE(decode(bad)) << i;
        }
        ASSERT_FALSE(decode(good.substr(0, i))) << i;
        ASSERT_FALSE(decode(good.substr(i + 1))) << i;
    }
    EXPECT_EQ(decode(good + "\n").error().code, Code::integrity_mismatch);
    EXPECT_FALSE(decode(""));
    EXPECT_FALSE(decode(std::string(512, '\0')));
}

// With a right checksum: a file that we did not write.
TEST(content, decode__names_twice_or_values_over_the_limit__integrity_mismatch) {
    Content over = example();
    over.entries["index"].value = 33;
    EXPECT_FALSE(decode(encode(over)));
    Content space = example();
    space.entries["a b"] = {};
    EXPECT_FALSE(decode(encode(space)));
    Content last = example();
    last.generation = UINT64_MAX;
    EXPECT_FALSE(decode(encode(last)));
    Content digest = example();
    digest.digests["audit"].resize(max_digest_size + 1);
    EXPECT_FALSE(decode(encode(digest)));
}

}  // namespace
}  // namespace quoin::counters
