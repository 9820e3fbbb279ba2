#include "server/fleet/inventory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace quoin::server {
namespace {

using testing::HasSubstr;

std::string digest(char digit) { return std::string(64, digit); }

std::string line(std::string_view id, std::string_view name, std::string_view sha) {
    return fmt::format(R"({{"silicon_id":"{}","class":"{}","birth_cert_sha256":"{}"}})", id, name,
                       sha);
}

TEST(parse_batch, two_lines__both) {
    const auto parsed = parse_batch(line("mpu-1", "mpu", digest('a')) + "\r\n\n" +
                                    line("mcu-1", "mcu", digest('b')));
    ASSERT_TRUE(parsed) << parsed.error().message;
    ASSERT_EQ(parsed->size(), 2U);
    EXPECT_EQ(parsed->at(0).silicon_id, "mpu-1");
    EXPECT_EQ(parsed->at(1).device_class, DeviceClass::mcu);
    EXPECT_EQ(parsed->at(1).line, 3U);
}

TEST(parse_batch, foreign__only_where_the_line_says_so) {
    const auto foreign = [](std::string_view id, std::string_view value) {
        return line(id, "mpu", digest(id.back())).insert(1, fmt::format(R"("foreign":{},)", value));
    };
    const auto parsed = parse_batch(line("a", "mpu", digest('a')) + "\n" + foreign("b", "true") +
                                    "\n" + foreign("c", "false"));
    ASSERT_TRUE(parsed) << parsed.error().message;
    EXPECT_FALSE(parsed->at(0).foreign);
    EXPECT_TRUE(parsed->at(1).foreign);
    EXPECT_FALSE(parsed->at(2).foreign);
    for (const std::string_view wrong : {"1", "null", "\"yes\""}) {
        EXPECT_FALSE(parse_batch(foreign("a", wrong))) << wrong;
    }
}

TEST(parse_batch, wrong_line__error_names_line_field_and_value) {
    const std::string good = line("mpu-1", "mpu", digest('a')) + "\n";
    struct Case {
        std::string text;
        std::vector<std::string> says;
    };
    for (const Case& wrong : std::vector<Case>{
             {"{", {"line 2", "not a JSON object"}},
             {"[]", {"line 2", "not a JSON object"}},
             {R"({"silicon_id":"x","class":"mpu"})", {"line 2", "birth_cert_sha256", "missing"}},
             {line("a b", "mpu", digest('b')), {"line 2", "silicon_id", "a b"}},
             {line(std::string(129, 'a'), "mpu", digest('b')), {"line 2", "silicon_id"}},
             {line("x", "plc", digest('b')), {"line 2", "class", "plc"}},
             {line("x", "mpu", digest('B')), {"line 2", "birth_cert_sha256", "BBB"}},
             {line("x", "mpu", "ab"), {"line 2", "birth_cert_sha256", "ab"}},
             {R"({"silicon_id":7,"class":"mpu","birth_cert_sha256":"a"})",
              {"line 2", "silicon_id", "7"}},
             {R"({"silicon_id":"x","silicon_id":"y"})", {"line 2", "silicon_id", "twice"}},
             {line("x", "mpu", digest('b')).insert(1, R"("more":1,)"), {"line 2", "more"}},
             {line("mpu-1", "mpu", digest('b')), {"line 2", "mpu-1", "line 1"}},
             {line("x", "mpu", digest('a')), {"line 2", "birth_cert_sha256", "line 1"}},
             {std::string(max_batch_line_bytes + 1, ' '), {"line 2", "1024"}},
             {"\x01\xff", {"line 2"}},
         }) {
        const auto parsed = parse_batch(good + wrong.text);
        ASSERT_FALSE(parsed) << wrong.text;
        for (const std::string& part : wrong.says)
            EXPECT_THAT(parsed.error().message, HasSubstr(part));
    }
}

TEST(parse_batch, empty__refused) {
    EXPECT_FALSE(parse_batch(""));
    EXPECT_FALSE(parse_batch("\n\n"));
}

TEST(parse_batch, too_long__refused_before_parsing) {
    const auto parsed = parse_batch(std::string(max_batch_bytes + 1, '{'));
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().code, Code::peer_oversize);
}

TEST(parse_batch, too_many__refused) {
    std::string text;
    for (std::size_t i = 0; i <= max_batch_lines; ++i) {
        text += line(fmt::format("d{}", i), "mcu", fmt::format("{:064x}", i)) + "\n";
    }
    const auto parsed = parse_batch(text);
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().code, Code::peer_oversize);
}

}  // namespace
}  // namespace quoin::server
