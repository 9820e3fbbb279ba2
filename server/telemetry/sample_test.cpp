#include "server/telemetry/sample.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace quoin::telemetry {
namespace {

using Json = nlohmann::json;

constexpr std::int64_t now = 1'800'000'000'000;

std::string outcome(Bytes payload) {
    SampleParser parser;
    const auto sample = parser.parse(payload, now);
    return sample ? "ok " + (*sample)->values_json : sample.error().message;
}
std::string outcome(std::string_view payload) { return outcome(bytes_of(payload)); }
std::string outcome_of_values(const std::string& values) {
    return outcome(R"({"seq":1,"low":1,"ts":1700000000000,"values":)" + values + "}");
}
std::string outcome_of_cbor(const Json& json) { return outcome(Json::to_cbor(json)); }

TEST(sample, json__the_example_of_the_page__parsed) {
    SampleParser parser;
    const auto sample = parser.parse(
        bytes_of(R"({"seq":105,"low":100,"ts":1700000000000,"values":{"temperature_c":23.5,)"
                 R"("state":"running","error_code":0}})"),
        now);
    ASSERT_TRUE(sample) << sample.error().message;
    EXPECT_EQ((*sample)->seq, 105U);
    EXPECT_EQ((*sample)->low, 100U);
    EXPECT_EQ((*sample)->ts_ms, 1'700'000'000'000);
    EXPECT_EQ((*sample)->values_json, R"({"temperature_c":23.5,"state":"running","error_code":0})");
}

TEST(sample, cbor__the_same_map__same_sample) {
    const Json json = Json::parse(
        R"({"seq":105,"low":100,"ts":1700000000000,"values":{"a":-1.25,"b":true,"c":"x\"y","d":-7}})");
    EXPECT_EQ(outcome_of_cbor(json), R"(ok {"a":-1.25,"b":true,"c":"x\"y","d":-7})");
    EXPECT_EQ(outcome(json.dump()), outcome_of_cbor(json));
}

TEST(sample, parser__used_again__keeps_nothing_of_the_last_sample) {
    SampleParser parser;
    ASSERT_TRUE(parser.parse(
        bytes_of(R"({"seq":9,"low":1,"ts":1700000000000,"values":{"a":1,"b":2}})"), now));
    const auto second = parser.parse(bytes_of(R"({"seq":9,"values":{"a":1}})"), now);
    EXPECT_FALSE(second);
    const auto third =
        parser.parse(bytes_of(R"({"values":{"a":1},"ts":1700000000000,"low":2,"seq":3})"), now);
    ASSERT_TRUE(third);
    EXPECT_EQ((*third)->values_json, R"({"a":1})");
}

TEST(sample, values__text_with_control_characters_and_utf8__valid_json) {
    EXPECT_EQ(outcome_of_values(R"({"a":"\u0000\n\u00fc"})"), "ok {\"a\":\"\\u0000\\nü\"}");
    EXPECT_EQ(outcome_of_values(R"({"a":1e3,"b":123456789012345678})"),
              R"(ok {"a":1000,"b":123456789012345678})");
}

TEST(sample, payload__not_a_sample__error_names_the_field) {
    EXPECT_EQ(outcome(""), "sample is empty");
    EXPECT_EQ(outcome("x"), "cannot be parsed at byte 1");
    EXPECT_EQ(outcome("[]"), "must not be an array");
    EXPECT_EQ(outcome("7"), "must be an object");
    EXPECT_EQ(outcome("{}"), "sample: seq, low, ts and values are all needed");
    EXPECT_EQ(outcome(R"({"seq":1,"seq":1})"), "seq: there twice");
    EXPECT_EQ(outcome(R"({"more":1})"), "unknown field");
    EXPECT_EQ(outcome(R"({"seq":"1"})"), "seq: must be an integer");
    EXPECT_EQ(outcome(R"({"seq":1.0})"), "seq: must be an integer");
    EXPECT_EQ(outcome(R"({"seq":true})"), "seq: must be an integer");
    EXPECT_EQ(outcome(R"({"seq":-1})"), "seq: out of range");
    EXPECT_EQ(outcome(R"({"seq":{}})"), "seq: must not be an object");
    EXPECT_EQ(outcome(R"({"values":1})"), "values: must be an object");
    EXPECT_EQ(outcome(R"({"values":null})"), "values: must not be null");
    EXPECT_EQ(outcome(std::string(4097, ' ')), "sample of 4097 bytes: the limit is 4096");
}

TEST(sample, ranges__outside__error_names_the_field) {
    const auto with = [](const std::string& seq, const std::string& low, const std::string& ts) {
        return outcome(R"({"seq":)" + seq + R"(,"low":)" + low + R"(,"ts":)" + ts +
                       R"(,"values":{"a":1}})");
    };
    EXPECT_EQ(with("9007199254740991", "1", "946684800000"), R"(ok {"a":1})");
    EXPECT_EQ(with("0", "1", "946684800000"), "seq: 0 is not 1 .. 2^53-1");
    EXPECT_EQ(with("9007199254740992", "1", "946684800000"),
              "seq: 9007199254740992 is not 1 .. 2^53-1");
    EXPECT_EQ(with("5", "0", "946684800000"), "low: 0 is not 1 .. seq (5)");
    EXPECT_EQ(with("5", "6", "946684800000"), "low: 6 is not 1 .. seq (5)");
    EXPECT_EQ(with("5", "5", std::to_string(now + day_ms)), R"(ok {"a":1})");
    for (const std::string& ts : {std::string("946684799999"), std::to_string(now + day_ms + 1)}) {
        EXPECT_EQ(with("5", "5", ts),
                  "ts: " + ts + " is not 2000-01-01 .. now + 1 day in milliseconds");
    }
    EXPECT_EQ(with("5", "5", "18446744073709551615"), "ts: out of range");
}

TEST(sample, values__outside_the_rules__error_names_the_key) {
    EXPECT_EQ(outcome_of_values("{}"), "values: is empty");
    EXPECT_EQ(outcome_of_values(R"({"A":1})"), "values: a key is not [a-z][a-z0-9_]{0,63}");
    EXPECT_EQ(outcome_of_values(R"({"1a":1})"), "values: a key is not [a-z][a-z0-9_]{0,63}");
    EXPECT_EQ(outcome_of_values(R"({"":1})"), "values: a key is not [a-z][a-z0-9_]{0,63}");
    EXPECT_EQ(outcome_of_values(R"({"a":1,"a":2})"), "values.a: there twice");
    EXPECT_EQ(outcome_of_values(R"({"a":null})"), "values.a: must not be null");
    EXPECT_EQ(outcome_of_values(R"({"a":[1]})"), "values.a: must not be an array");
    EXPECT_EQ(outcome_of_values(R"({"a":{"b":1}})"), "values.a: must not be an object");
    EXPECT_EQ(outcome_of_values(R"({"a":")" + std::string(64, 'x') + "\"}"),
              R"(ok {"a":")" + std::string(64, 'x') + "\"}");
    EXPECT_EQ(outcome_of_values(R"({"a":")" + std::string(65, 'x') + "\"}"),
              "values.a: longer than 64 bytes");
    EXPECT_EQ(outcome_of_values(R"({"a":1e999})").substr(0, 25), "cannot be parsed at byte ");
    std::string many = "{";
    for (int i = 0; i < 33; ++i) many += (i == 0 ? "\"k" : ",\"k") + std::to_string(i) + "\":1";
    EXPECT_EQ(outcome_of_values(many + "}"), "values: more than 32 entries");
}

TEST(sample, cbor__what_json_cannot_say__refused) {
    Json json = Json::parse(R"({"seq":1,"low":1,"ts":1700000000000,"values":{"a":1}})");
    json["values"]["a"] = std::numeric_limits<double>::infinity();
    EXPECT_EQ(outcome_of_cbor(json), "values.a: must be finite");
    json["values"]["a"] = Json::binary({1, 2});
    EXPECT_EQ(outcome_of_cbor(json), "values.a: must not be a byte string");
    json["values"]["a"] = "\xff\xfe";
    EXPECT_EQ(outcome_of_cbor(json), "values.a: is not UTF-8");
    auto bytes = Json::to_cbor(Json::parse(R"({"seq":1})"));
    bytes.push_back(0);
    EXPECT_EQ(outcome(bytes), "cannot be parsed at byte 7");
    EXPECT_EQ(outcome(std::string(4000, '\x9f')), "cannot be parsed at byte 1");
}

TEST(topic, parse__a_good_one__device_and_stream) {
    const auto topic = parse_topic("quoin/plant-1/mpu-1/telemetry/temperature", "plant-1");
    ASSERT_TRUE(topic);
    EXPECT_EQ(topic->device, "mpu-1");
    EXPECT_EQ(topic->stream, "temperature");
}

TEST(topic, parse__anything_else__refused) {
    for (const std::string_view topic :
         {"", "quoin", "quoin/", "quoin/plant-1", "quoin/plant-1/", "quoin/plant-10/a/telemetry/b",
          "quoin/plant-2/a/telemetry/b", "other/plant-1/a/telemetry/b",
          "quoin/plant-1/a/telemetry/", "quoin/plant-1//telemetry/b", "quoin/plant-1/a/event/b",
          "quoin/plant-1/a/telemetry/B", "quoin/plant-1/a/telemetry/b/c",
          "quoin/plant-1/a b/telemetry/b", "quoin/plant-1/a/telemetry/+"}) {
        EXPECT_FALSE(parse_topic(topic, "plant-1")) << topic;
    }
    const std::string id(129, 'a');
    EXPECT_FALSE(parse_topic("quoin/plant-1/" + id + "/telemetry/b", "plant-1"));
    EXPECT_FALSE(parse_topic("quoin/plant-1/a/telemetry/" + std::string(65, 'b'), "plant-1"));
}

}  // namespace
}  // namespace quoin::telemetry
