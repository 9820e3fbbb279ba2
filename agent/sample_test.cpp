#include "agent/sample.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

namespace quoin::agent {
namespace {

TEST(sample, values_json__all_types__reads_back) {
    const Sample sample{
        "press", 5, {{"a", 1.5}, {"b", true}, {"c", std::string("x\"y")}, {"d", 7.0}}};
    const auto json = nlohmann::json::parse(*values_json(sample));
    EXPECT_EQ(json, (nlohmann::json{{"a", 1.5}, {"b", true}, {"c", "x\"y"}, {"d", 7}}));
    EXPECT_TRUE(json["d"].is_number_integer());
}

TEST(sample, values_json__what_the_server_would_refuse__is_refused) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const auto code = [](const Sample& sample) { return values_json(sample).error().code; };
    EXPECT_EQ(code({"s", 1, {}}), Code::input_invalid);
    EXPECT_EQ(code({"S", 1, {{"a", 1.0}}}), Code::input_invalid);
    EXPECT_EQ(code({"s", 1, {{"1a", 1.0}}}), Code::input_invalid);
    EXPECT_EQ(code({"s", 1, {{"a", nan}}}), Code::input_invalid);
    EXPECT_EQ(code({"s", 1, {{"a", std::string(65, 'x')}}}), Code::input_invalid);
    Sample many{"s", 1, {}};
    for (int i = 0; i < 33; ++i) many.values.emplace_back("v" + std::to_string(i), 1.0);
    EXPECT_EQ(code(many), Code::input_invalid);
}

TEST(sample, message_json__is_the_wire_format) {
    EXPECT_EQ(message_json(105, 100, 1700000000000, R"({"a":1})"),
              R"({"seq":105,"low":100,"ts":1700000000000,"values":{"a":1}})");
}

TEST(sample, parse_ack__good__gives_the_sequence) {
    EXPECT_EQ(*parse_ack(R"({"seq":105})"), 105U);
    EXPECT_EQ(*parse_ack(R"({"seq":9007199254740991})"), max_sequence);
}

TEST(sample, parse_ack__anything_else__is_refused) {
    for (const std::string_view bad :
         {"", "105", "{}", "[]", R"({"seq":-1})", R"({"seq":1.5})", R"({"seq":"1"})",
          R"({"seq":9007199254740992})", R"({"seq":1,"x":2})", R"({"seq":1}x)", "\xff\xfe"}) {
        EXPECT_EQ(parse_ack(bad).error().code, Code::peer_malformed) << bad;
    }
    EXPECT_EQ(parse_ack(std::string(1000, ' ')).error().code, Code::peer_oversize);
}

}  // namespace
}  // namespace quoin::agent
